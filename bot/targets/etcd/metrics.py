"""etcd's metrics page, read line by line: of its 2,000 lines a few dozen matter.

prometheus_client's parser takes 35 ms for such a page, during which nothing else runs; this one
takes 3 ms.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from procedures.model.ids import MemberId
from procedures.model.probe import Histogram, Metrics

_FSYNC = "etcd_disk_wal_fsync_duration_seconds_bucket"
_COMMIT = "etcd_disk_backend_commit_duration_seconds_bucket"
_PEER_RTT = "etcd_network_peer_round_trip_time_seconds_bucket"
_ACTIVE_PEERS = "etcd_network_active_peers"
_RECEIVED = "etcd_network_peer_received_bytes_total"
_SENT = "etcd_network_peer_sent_bytes_total"
_NOT_SENT = "etcd_network_peer_sent_failures_total"
_HANDLING = "grpc_server_handling_seconds_bucket"
_HANDLED = "grpc_server_handled_total"
_LEADER_CHANGES = "etcd_server_leader_changes_seen_total"
_PROPOSALS_FAILED = "etcd_server_proposals_failed_total"
_PROPOSALS_PENDING = "etcd_server_proposals_pending"
_QUOTA = "etcd_server_quota_backend_bytes"
_STARTED = "process_start_time_seconds"

_NAMES = "|".join(
    [
        *(_FSYNC, _COMMIT, _PEER_RTT, _ACTIVE_PEERS, _RECEIVED, _SENT, _NOT_SENT),
        *(_HANDLING, _HANDLED),
        *(_LEADER_CHANGES, _PROPOSALS_FAILED, _PROPOSALS_PENDING, _QUOTA, _STARTED),
    ]
)
_LINE = re.compile(rf"^({_NAMES})(?:{{(.*)}})? (\S+)(?: \d+)?$", re.MULTILINE)

_LE, _TO, _FROM, _REMOTE, _CODE, _TYPE, _METHOD = (
    re.compile(rf'(?:^|,){label}="([^"]*)"')
    for label in ("le", "To", "From", "Remote", "grpc_code", "grpc_type", "grpc_method")
)

_FAILURES = frozenset(
    {
        "Unknown",
        "FailedPrecondition",
        "ResourceExhausted",
        "Internal",
        "Unavailable",
        "DataLoss",
        "DeadlineExceeded",
    }
)
"""The codes that etcd's own alerts count as the server's failures."""


class _Buckets:
    """A histogram under construction, summed over labels."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, labels: str, count: str) -> None:
        """Add the observations up to a bound."""
        bound = _value(_LE, labels)
        self._counts[bound] = self._counts.get(bound, 0) + _whole(count)

    def histogram(self) -> Histogram | None:
        """Give the histogram, None where there was no sample of it."""
        if not self._counts:
            return None
        by_bound = sorted((float(bound), count) for bound, count in self._counts.items())
        return Histogram(
            tuple(
                (None if math.isinf(bound) else round(bound * 1_000_000), count)
                for bound, count in by_bound
            )
        )


def parse(page: str, at_ms: int) -> Metrics:
    """Take the figures out of a metrics page that was read at `at_ms`."""
    plain: dict[str, float] = {}
    fsync, commit, handling = _Buckets(), _Buckets(), _Buckets()
    peer_rtt: dict[MemberId, _Buckets] = {}
    active_peers: dict[MemberId, bool] = {}
    received: Counter[MemberId] = Counter()
    addressed: Counter[MemberId] = Counter()
    handled: int | None = None
    failed = 0
    for name, labels, value in _LINE.findall(page):
        if name == _FSYNC:
            fsync.add(labels, value)
        elif name == _COMMIT:
            commit.add(labels, value)
        elif name == _PEER_RTT:
            peer_rtt.setdefault(MemberId(_value(_TO, labels)), _Buckets()).add(labels, value)
        elif name == _ACTIVE_PEERS:
            active_peers[MemberId(_value(_REMOTE, labels))] = float(value) > 0
        elif name == _RECEIVED:
            received[MemberId(_value(_FROM, labels))] += _whole(value)
        elif name in {_SENT, _NOT_SENT}:
            addressed[MemberId(_value(_TO, labels))] += _whole(value)
        elif name == _HANDLING:
            if _counts_as_latency(labels):
                handling.add(labels, value)
        elif name == _HANDLED:
            handled = (handled or 0) + _whole(value)
            failed += _whole(value) if _value(_CODE, labels) in _FAILURES else 0
        else:
            plain[name] = float(value)
    started_s = plain.get(_STARTED)
    return Metrics(
        at_ms=at_ms,
        started_ms=None if started_s is None else round(started_s * 1000),
        wal_fsync=fsync.histogram(),
        backend_commit=commit.histogram(),
        peer_rtt=MappingProxyType(
            {
                peer: histogram
                for peer, buckets in peer_rtt.items()
                if (histogram := buckets.histogram())
            }
        ),
        grpc_handling=handling.histogram(),
        grpc_handled=handled,
        grpc_failed=None if handled is None else failed,
        leader_changes=_optional(plain, _LEADER_CHANGES),
        proposals_failed=_optional(plain, _PROPOSALS_FAILED),
        proposals_pending=_optional(plain, _PROPOSALS_PENDING),
        quota=_optional(plain, _QUOTA),
        active_peers=MappingProxyType(active_peers),
        received=MappingProxyType(received),
        addressed=MappingProxyType(addressed),
    )


def _value(label: re.Pattern[str], labels: str) -> str:
    found = label.search(labels)
    return found[1] if found else ""


def _counts_as_latency(labels: str) -> bool:
    """Streams last as long as their watchers like, and defragmenting is slow by nature."""
    return _value(_TYPE, labels) == "unary" and _value(_METHOD, labels) != "Defragment"


def _whole(number: str) -> int:
    """Read a count, which large ones have in the form of 1e+06."""
    return int(number) if number.isdecimal() else int(float(number))


def _optional(plain: Mapping[str, float], name: str) -> int | None:
    value = plain.get(name)
    return None if value is None else int(value)
