"""Switch time services on where clocks are not kept right. (catalogue P01; rule R18)

Nothing here ever sets a clock: a service is started only where the clock is within a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.host.check_clock import CheckClock
from procedures.engine.ports import Look
from procedures.host.asking import OnHost, each_host
from procedures.host.fix import Args, start, startable, wanted
from procedures.host.offset import ClockSeen, look_at_clock, too_far
from procedures.host.services import Unit, read_units
from procedures.model.errors import Refused
from procedures.model.host import At
from procedures.model.inventory import Cluster
from procedures.model.plan import Risk
from procedures.model.probe import Fault
from procedures.model.procedure import Procedure, Runbook

_UNITS = (
    "chronyd.service",
    "chrony.service",
    "ntpd.service",
    "ntp.service",
    "ntpsec.service",
    "systemd-timesyncd.service",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The clock of each host, and its time services."""

    cluster: Cluster
    clocks: Mapping[str, ClockSeen | Fault]
    units: Mapping[str, tuple[Unit, ...] | Fault]


async def look(args: Args, look: Look) -> Scene:
    """Ask all hosts: the clock of one is compared with the others."""
    cluster = look.inventory.clusters[args.cluster]
    clocks = await each_host(cluster, look, look_at_clock)
    return Scene(cluster, clocks, await each_host(cluster, look, _units))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Host by host: compare the clock, start the service, wait until the clock is kept right."""
    name = args.cluster
    stays, starts = [], []
    for host, seen in wanted(scene.cluster, args.host, scene.clocks, run).items():
        if seen.service.synchronised:
            continue
        units = scene.units[host]
        if isinstance(units, Fault):
            stays.append(units.message)
            continue
        unit = startable(units, "install chrony")
        if isinstance(unit, str):
            stays.append(f"{host} is not synchronised, and of its time services {unit}")
            continue
        if why := too_far(host, scene.clocks):
            raise Refused(why)
        starts.append((At(host, seen.machine.machine_id), unit))
    if not starts:
        message = "; ".join(stays) or f"The clocks of {args.host or name} are synchronised"
        raise Refused(f"{message}. There is nothing to start.")
    run.title = f"Keep the clock of {', '.join(at.host for at, _ in starts)} right"
    for each in stays:
        run.fact(f"Left as it is: {each}.")
    run.fact("No clock is set by hand. A service is started where the clock is within 1 s (R18).")
    for at, unit in starts:
        run.step(f"Compare the clock of {at.host}", CheckClock(name, at))
        start(name, at, unit, run)
        kept = CheckClock(name, at, synchronised=True)
        run.step(f"Wait until the clock of {at.host} is kept right", kept)


PROCEDURE = Procedure(
    "host clock fix", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)


async def _units(on: OnHost) -> tuple[Unit, ...] | Fault:
    return await read_units(on, _UNITS)
