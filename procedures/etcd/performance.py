"""Figures from two scrapes of a member's metrics: what happened between them.

Counters and histograms count since the process started, so only differences tell of now. A p99
is interpolated inside a bucket whose bounds double; the bounds are said with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.model.ids import MemberId
from procedures.model.probe import Fault, Histogram, Metrics
from procedures.model.report import Figure, Level

FEWEST = 20
"""Observations below which a p99 says nothing (ours)."""

_FEWEST_CALLS = 100
_MS = 1_000


@dataclass(frozen=True, slots=True)
class _Limits:
    """Bounds of a duration in ms: the target is shown, warn and critical are alerts."""

    name: str
    target: int
    warn: int
    critical: int | None = None


_FSYNC = _Limits("fsync p99", target=10, warn=500, critical=1_000)  # etcd FAQ; etcd mixin
_COMMIT = _Limits("commit p99", target=25, warn=250)  # etcd FAQ; etcd mixin
_RTT = _Limits("peer RTT p99", target=50, warn=150)  # OpenShift; etcd mixin
_GRPC = _Limits("gRPC p99", target=150, warn=3_000)  # etcd mixin; OpenShift


@dataclass(frozen=True, slots=True)
class Quantile:
    """An estimate in µs, the bounds of its bucket, and how many observations it is of."""

    value_us: int
    low_us: int
    high_us: int | None
    count: int


def p99(before: Histogram, after: Histogram) -> Quantile | None:
    """The 99th percentile of what was observed between two scrapes; None when too little was."""
    earlier = dict(before.buckets)
    counts = [(bound, count - earlier.get(bound, 0)) for bound, count in after.buckets]
    total = counts[-1][1] if counts else 0
    if total < FEWEST:
        return None
    rank = total * 99 / 100
    low, below = 0, 0
    for bound, cumulative in counts:
        if cumulative >= rank:
            if bound is None:
                return Quantile(low, low, None, total)
            share = (rank - below) / (cumulative - below)
            return Quantile(int(low + (bound - low) * share), low, bound, total)
        low, below = bound or low, cumulative
    return None


def performance(
    name: str,
    before: Metrics | Fault | None,
    after: Metrics | Fault | None,
    peers: Mapping[MemberId, str],
) -> list[Figure]:
    """All figures of one member. `peers` gives names to member ids."""
    if not isinstance(before, Metrics) or not isinstance(after, Metrics):
        fault = next((side for side in (before, after) if isinstance(side, Fault)), None)
        why = fault.message if fault else "not scraped twice"
        return [Figure("metrics", Level.UNKNOWN, why, member=name, counts=False)]
    if before.started_ms != after.started_ms:
        return [Figure("metrics", Level.WARN, "it restarted between two samples", member=name)]
    figures = [
        _duration(name, _FSYNC, before.wal_fsync, after.wal_fsync),
        _duration(name, _COMMIT, before.backend_commit, after.backend_commit),
        _duration(name, _GRPC, before.grpc_handling, after.grpc_handling),
    ]
    for peer, histogram in sorted(after.peer_rtt.items()):
        earlier = before.peer_rtt.get(peer)
        figures.append(_duration(name, _RTT, earlier, histogram, to=peers.get(peer, peer)))
    return [*figures, *_counters(name, before, after)]


def _duration(
    name: str,
    limits: _Limits,
    before: Histogram | None,
    after: Histogram | None,
    to: str | None = None,
) -> Figure:
    toward = f"to {to}: " if to else ""
    if before is None or after is None:
        return Figure(limits.name, Level.UNKNOWN, f"{toward}not exported", name, counts=False)
    quantile = p99(before, after)
    if quantile is None:
        few = f"{toward}too few samples, {after.count - before.count}"
        return Figure(limits.name, Level.UNKNOWN, few, name, counts=False)
    level = Level.OK
    if quantile.value_us >= limits.warn * _MS:
        level = Level.WARN
    if limits.critical and quantile.value_us >= limits.critical * _MS:
        level = Level.CRITICAL
    high = "∞" if quantile.high_us is None else f"{_ms(quantile.high_us)} ms"
    text = (
        f"{toward}{_ms(quantile.value_us)} ms, in the bucket {_ms(quantile.low_us)} to {high}, "
        f"{quantile.count} samples (target {limits.target}, alert {limits.warn} ms)"
    )
    return Figure(limits.name, level, text, name)


def _counters(name: str, before: Metrics, after: Metrics) -> list[Figure]:
    figures = []
    seconds = max(1, (after.at_ms - before.at_ms + 500) // 1_000)
    elections = _difference(before.leader_changes, after.leader_changes)
    if elections is not None:
        level = Level.WARN if elections >= 2 else Level.INFO if elections else Level.OK
        figures.append(Figure("leader changes", level, f"{elections} in {seconds} s", name))
    failed = _difference(before.proposals_failed, after.proposals_failed)
    if failed is not None:
        level = Level.WARN if failed > 5 else Level.INFO if failed else Level.OK
        figures.append(Figure("failed proposals", level, f"{failed} in {seconds} s", name))
    pending = after.proposals_pending
    if pending is not None:
        sustained = pending > 0 and bool(before.proposals_pending)
        level = Level.WARN if sustained else Level.OK
        figures.append(Figure("pending proposals", level, str(pending), name))
    calls = _difference(before.grpc_handled, after.grpc_handled)
    errors = _difference(before.grpc_failed, after.grpc_failed)
    if calls is not None and errors is not None:
        figures.append(_failed_calls(name, calls, errors))
    return figures


def _failed_calls(name: str, calls: int, errors: int) -> Figure:
    if calls < _FEWEST_CALLS:
        few = f"too few calls, {calls}"
        return Figure("failed gRPC", Level.UNKNOWN, few, name, counts=False)
    percent = errors * 100 // calls
    level = Level.CRITICAL if percent >= 5 else Level.WARN if percent >= 1 else Level.OK
    return Figure("failed gRPC", level, f"{percent} % of {calls:,} calls", name)


def _difference(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else max(0, after - before)


def _ms(microseconds: int) -> str:
    return f"{microseconds / _MS:g}" if microseconds < 10 * _MS else f"{microseconds / _MS:.0f}"
