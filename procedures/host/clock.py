"""Clocks of hosts: how far they are apart, and whether anything keeps them right. (P01, rule R18)

A clock is read by one command. When it was begun and when its answer was there bounds how far the
clock can be from ours, however long the way was; two such bounds bound a pair.
"""

import itertools
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.host.answering import Args, answered, report
from procedures.host.asking import OnHost, each_host
from procedures.model.inquiry import Inquiry
from procedures.model.probe import Fault
from procedures.model.report import ClockPair, Figure, HostsReport, Level

APART_MS = 1_000
"""More than this etcd itself warns of (R18)."""

_DATE = ("date", "--utc", "+%s%N")
_SHOWN = ("timedatectl", "show", "--property=NTP", "--property=NTPSynchronized")
_SYNCHRONISED = re.compile(r"^\s*(?:NTP|System clock) synchronized:\s*(\w+)", re.MULTILINE)
_ENABLED = re.compile(r"^\s*(?:NTP enabled|NTP service|Network time on):\s*(\w+)", re.MULTILINE)
_YES = frozenset({"yes", "active"})


@dataclass(frozen=True, slots=True)
class Reading:
    """A host's clock is ahead of ours by `least_ms` to `most_ms`; behind where that is negative."""

    least_ms: int
    most_ms: int


@dataclass(frozen=True, slots=True)
class TimeService:
    """Whether systemd has a time service switched on, and whether the kernel's clock is kept."""

    enabled: bool
    synchronised: bool


async def read_clock(on: OnHost) -> Reading | Fault:
    """Read it once. Nothing else should be under way there meanwhile: that makes it less exact."""
    before_ms = on.look.clock.now_ms()
    told = await on.said(*_DATE)
    after_ms = on.look.clock.now_ms()
    if isinstance(told, Fault):
        return told
    text = told.out.strip()
    if not text.isdecimal():
        return on.fault(f"`date` printed {text[:40]!r}")
    there_ms = int(text) // 1_000_000
    # Each of the two times may be almost a millisecond later than it says.
    return Reading(there_ms - after_ms - 1, there_ms - before_ms + 1)


async def read_service(on: OnHost) -> TimeService | Fault:
    """Ask systemd; before version 239 it has the words for people only."""
    told = await on.said(*_SHOWN)
    if not isinstance(told, Fault):
        lines = set(told.out.split())
        return TimeService("NTP=yes" in lines, "NTPSynchronized=yes" in lines)
    told = await on.said("timedatectl", "status")
    if isinstance(told, Fault):
        return told
    enabled, synchronised = _ENABLED.search(told.out), _SYNCHRONISED.search(told.out)
    if synchronised is None:
        return on.fault("`timedatectl` does not tell whether the clock is synchronised")
    return TimeService(enabled is not None and enabled[1] in _YES, synchronised[1] in _YES)


def pairs(readings: Mapping[str, Reading | Fault]) -> tuple[ClockPair, ...]:
    """Compare each two hosts that told their time; those that are furthest apart come first."""
    known = [(name, each) for name, each in readings.items() if isinstance(each, Reading)]
    found = [pair(*one, *other) for one, other in itertools.combinations(known, 2)]
    return tuple(sorted(found, key=lambda pair: -pair.by_ms))


def clock_figures(readings: Mapping[str, Reading | Fault]) -> list[Figure]:
    """One figure for all pairs, and one for each host that did not tell."""
    figures = [
        Figure("clock", Level.UNKNOWN, each.message, member=name, counts=False)
        for name, each in readings.items()
        if isinstance(each, Fault)
    ]
    compared = pairs(readings)
    if not compared:
        return figures
    apart = [pair for pair in compared if pair.by_ms - pair.give_or_take_ms > APART_MS]
    unsure = [pair for pair in compared if pair.by_ms + pair.give_or_take_ms > APART_MS]
    if apart:
        level, text = Level.WARN, f"{said(apart)}, more than {APART_MS // 1_000} s (R18)"
    elif unsure:
        level, text = Level.UNKNOWN, f"{said(unsure)}: the way is too slow to tell more"
    else:
        most = max(pair.by_ms + pair.give_or_take_ms for pair in compared)
        level, text = (
            Level.OK,
            f"no two are more than {_seconds(most)} apart, the way's delay included",
        )
    return [Figure("clock", level, text, counts=False), *figures]


def service_figure(host: str, service: TimeService | Fault) -> Figure:
    """Whether a host's clock is kept right."""
    if isinstance(service, Fault):
        return Figure("time service", Level.UNKNOWN, service.message, member=host, counts=False)
    if service.synchronised:
        text = "synchronised" if service.enabled else "synchronised, by no service of systemd's"
        return Figure("time service", Level.OK, text, member=host, counts=False)
    text = "on, and not synchronised yet" if service.enabled else "off, and nothing synchronises"
    return Figure("time service", Level.WARN, text, member=host, counts=False)


async def ask(args: Args, look: Look) -> AsyncIterator[HostsReport]:
    """Compare the clocks of all hosts, and ask what keeps them right. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    seen = await each_host(cluster, look, _look_at)
    told, figures = answered(seen)
    readings = {name: clock for name, (clock, _) in told.items()}
    figures = [*clock_figures(readings), *figures]
    figures += [service_figure(name, service) for name, (_, service) in told.items()]
    yield report(cluster, "clocks", seen, figures, pairs(readings))


INQUIRY = Inquiry("host clock", Args, ask)


async def _look_at(on: OnHost) -> tuple[Reading | Fault, TimeService | Fault] | Fault:
    machine = await on.machine()
    if isinstance(machine, Fault):
        return machine
    clock = await read_clock(on)
    return clock, await read_service(on)


def pair(one: str, first: Reading, other: str, second: Reading) -> ClockPair:
    """Tell which of two clocks is ahead, and by how much."""
    least = first.least_ms - second.most_ms
    most = first.most_ms - second.least_ms
    middle = (least + most) // 2
    error = most - middle
    if middle < 0:
        return ClockPair(other, one, -middle, error)
    return ClockPair(one, other, middle, error)


def said(found: list[ClockPair]) -> str:
    """Say the first, and how many are like it."""
    worst = found[0]
    more = f", and {len(found) - 1} more like that" if len(found) > 1 else ""
    return (
        f"{worst.ahead} is {_seconds(worst.by_ms)} ahead of {worst.behind}, "
        f"give or take {_seconds(worst.give_or_take_ms)}{more}"
    )


def _seconds(duration_ms: int) -> str:
    """In hundredths, rounded up: it stands for a bound."""
    return f"{-(-duration_ms // 10) / 100:.2f} s"
