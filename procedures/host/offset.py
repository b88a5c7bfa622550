"""How far one host's clock is from those that are kept right. (P01, rule R18)"""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.host.asking import OnHost
from procedures.host.clock import (
    APART_MS,
    Reading,
    TimeService,
    pair,
    read_clock,
    read_service,
    said,
)
from procedures.model.host import Machine
from procedures.model.probe import Fault
from procedures.model.report import ClockPair

_OURS = "Quorumbot's own clock"


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """A host that told its time, and whether anything keeps it right."""

    machine: Machine
    reading: Reading
    service: TimeService


async def look_at_clock(on: OnHost) -> ClockSeen | Fault:
    """Ask a host for all of it."""
    machine = await on.machine()
    if isinstance(machine, Fault):
        return machine
    reading = await read_clock(on)
    if isinstance(reading, Fault):
        return reading
    service = await read_service(on)
    return service if isinstance(service, Fault) else ClockSeen(machine, reading, service)


def offset(host: str, seen: Mapping[str, ClockSeen | Fault]) -> ClockPair:
    """Compare a host with the one furthest from it of those that are synchronised.

    Where no other is, with Quorumbot's own clock. Raises KeyError for a host that told nothing.
    """
    told = {name: each for name, each in seen.items() if isinstance(each, ClockSeen)}
    here = told[host].reading
    right = {
        name: each.reading
        for name, each in told.items()
        if name != host and each.service.synchronised
    }
    pairs = [
        pair(host, here, name, each) for name, each in (right or {_OURS: Reading(0, 0)}).items()
    ]
    return max(pairs, key=lambda each: each.by_ms + each.give_or_take_ms)


def too_far(host: str, seen: Mapping[str, ClockSeen | Fault]) -> str | None:
    """Say why nothing may be started that sets the clock; None where it is near enough."""
    found = offset(host, seen)
    if found.by_ms + found.give_or_take_ms <= APART_MS:
        return None
    if found.by_ms - found.give_or_take_ms <= APART_MS:
        return f"{said([found])}: the way is too slow to tell whether that is more than 1 s (R18)."
    return (
        f"{said([found])} (R18). A time service that starts may set the clock at once, under an "
        "etcd whose leases go by it. Bring the clock within 1 s first, slowly (chronyd does with "
        "makestep off) or with etcd on that host stopped."
    )
