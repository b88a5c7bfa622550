"""Switch rngd on where the kernel runs short of entropy. (catalogue P02)

Newer kernels do not run out of it: there is nothing to do there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.host.check_entropy import CheckEntropy
from procedures.engine.ports import Look
from procedures.host.asking import OnHost, each_host
from procedures.host.entropy import LOW, Entropy, read_entropy
from procedures.host.fix import Args, start, startable, wanted
from procedures.host.services import Unit, read_units
from procedures.model.errors import Refused
from procedures.model.host import At, Machine
from procedures.model.inventory import Cluster
from procedures.model.plan import Risk
from procedures.model.probe import Fault
from procedures.model.procedure import Procedure, Runbook

_UNITS = ("rngd.service", "rng-tools.service", "rng-tools-debian.service", "haveged.service")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host has, and what could give it more."""

    machine: Machine
    entropy: Entropy
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """All hosts."""

    cluster: Cluster
    hosts: Mapping[str, Seen | Fault]


async def look(args: Args, look: Look) -> Scene:
    """Ask all hosts."""
    cluster = look.inventory.clusters[args.cluster]
    return Scene(cluster, await each_host(cluster, look, _look_at))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Host by host: start the service, and wait until there is enough."""
    name = args.cluster
    stays, starts = [], []
    for host, seen in wanted(scene.cluster, args.host, scene.hosts, run).items():
        if not seen.entropy.matters or seen.entropy.available >= LOW:
            continue
        unit = startable(seen.units, "install rng-tools")
        if isinstance(unit, str):
            stays.append(f"{host} has less than {LOW} bits, and of its services {unit}")
            continue
        starts.append((At(host, seen.machine.machine_id), unit))
    if not starts:
        message = "; ".join(stays) or f"{args.host or name} has enough entropy"
        raise Refused(f"{message}. There is nothing to start.")
    run.title = f"Give {', '.join(at.host for at, _ in starts)} entropy"
    for each in stays:
        run.fact(f"Left as it is: {each}.")
    for at, unit in starts:
        run.fact(f"{at.host} has less than {LOW} bits, for which TLS handshakes may wait.")
        start(name, at, unit, run)
        run.step(f"Wait until {at.host} has enough", CheckEntropy(name, at))


PROCEDURE = Procedure(
    "host entropy fix", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)


async def _look_at(on: OnHost) -> Seen | Fault:
    machine = await on.machine()
    if isinstance(machine, Fault):
        return machine
    entropy = await read_entropy(on)
    if isinstance(entropy, Fault):
        return entropy
    units = await read_units(on, _UNITS)
    return units if isinstance(units, Fault) else Seen(machine, entropy, units)
