"""Answers about the machines of a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault
from procedures.model.report import ClockPair, Figure, HostsReport, Level

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Args:
    """Whose hosts."""

    cluster: ClusterName


def answered(seen: Mapping[str, T | Fault]) -> tuple[dict[str, T], list[Figure]]:
    """Take those apart that nobody reached; each of them is one figure."""
    told = {name: each for name, each in seen.items() if not isinstance(each, Fault)}
    return told, [
        Figure("host", Level.UNKNOWN, each.message, member=name, counts=False)
        for name, each in seen.items()
        if isinstance(each, Fault)
    ]


def report(
    cluster: Cluster,
    what: str,
    seen: Mapping[str, object],
    figures: Sequence[Figure],
    clocks: tuple[ClockPair, ...] = (),
) -> HostsReport:
    """Put an answer together; its first words say how many hosts it is of, and how they are."""
    reached = sum(not isinstance(each, Fault) for each in seen.values())
    bad = sum(figure.level in {Level.WARN, Level.CRITICAL} for figure in figures)
    open_ = sum(figure.level is Level.UNKNOWN for figure in figures)
    counts = [f"{bad} warnings" if bad != 1 else "1 warning"] if bad else []
    counts += [f"{open_} unknown"] if open_ else []
    how = " and ".join(counts) or "nothing is wrong"
    headline = f"{cluster.name}: {what} of {reached} of {len(seen)} hosts, {how}"
    return HostsReport(cluster.name, headline, tuple(figures), clocks)
