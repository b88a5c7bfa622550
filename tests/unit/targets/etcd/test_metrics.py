"""The metrics page is read the way Prometheus' own parser reads it."""

import gzip
import math
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bot.targets.etcd.metrics import parse
from procedures.model.probe import Histogram

BAD = {
    "Unknown",
    "FailedPrecondition",
    "ResourceExhausted",
    "Internal",
    "Unavailable",
    "DataLoss",
    "DeadlineExceeded",
}


@pytest.fixture(scope="module")
def page() -> str:
    """A page of etcd 3.4.23 with `--metrics extensive`, after some work and some mistakes."""
    recorded = Path(__file__).with_name("metrics-3.4.23.txt.gz")
    return gzip.decompress(recorded.read_bytes()).decode()


@pytest.fixture(scope="module")
def samples(page: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(page) for sample in family.samples]


def value(samples: list[Sample], name: str) -> float:
    return next(sample.value for sample in samples if sample.name == name)


def histogram(samples: list[Sample], name: str, **labels: str) -> Histogram:
    """Add up the buckets of all series that have these labels."""
    counts: dict[float, int] = {}
    for sample in samples:
        if sample.name == f"{name}_bucket" and labels.items() <= sample.labels.items():
            bound = float(sample.labels["le"])
            counts[bound] = counts.get(bound, 0) + int(sample.value)
    return Histogram(
        tuple(
            (None if math.isinf(bound) else round(bound * 1e6), count)
            for bound, count in sorted(counts.items())
        )
    )


def test_histograms(page: str, samples: list[Sample]) -> None:
    """Disk histograms are as in the page, bounds in µs, cumulative, +Inf last."""
    metrics = parse(page, 0)
    assert metrics.wal_fsync == histogram(samples, "etcd_disk_wal_fsync_duration_seconds")
    assert metrics.backend_commit == histogram(samples, "etcd_disk_backend_commit_duration_seconds")
    assert metrics.wal_fsync is not None
    assert metrics.wal_fsync.buckets[0][0] == 1_000
    assert metrics.wal_fsync.buckets[-1][0] is None
    assert metrics.wal_fsync.count == value(samples, "etcd_disk_wal_fsync_duration_seconds_count")


def test_peer_rtt(page: str, samples: list[Sample]) -> None:
    """Round trips are told apart by the peer's id."""
    name = "etcd_network_peer_round_trip_time_seconds"
    peers = {sample.labels["To"] for sample in samples if sample.name == f"{name}_bucket"}
    metrics = parse(page, 0)
    assert len(peers) == 2
    assert metrics.peer_rtt == {peer: histogram(samples, name, To=peer) for peer in peers}


def test_peers(page: str, samples: list[Sample]) -> None:
    """Bytes from each peer; to each, bytes and failures together: one of them always grows."""
    metrics = parse(page, 0)

    def by(label: str, *names: str) -> dict[str, float]:
        counts: dict[str, float] = {}
        for sample in samples:
            if sample.name in {f"etcd_network_peer_{name}_total" for name in names}:
                peer = sample.labels[label]
                counts[peer] = counts.get(peer, 0) + sample.value
        return counts

    assert metrics.received == by("From", "received_bytes")
    assert metrics.addressed == by("To", "sent_bytes", "sent_failures")
    assert len(metrics.addressed) == 2


def test_grpc(page: str, samples: list[Sample]) -> None:
    """Latency is that of unary calls except Defragment; failures are the server's own."""
    metrics = parse(page, 0)
    counted = [sample for sample in samples if sample.labels.get("grpc_method") != "Defragment"]
    name = "grpc_server_handling_seconds"
    assert metrics.grpc_handling == histogram(counted, name, grpc_type="unary")
    handled = [sample for sample in samples if sample.name == "grpc_server_handled_total"]
    assert metrics.grpc_handled == sum(sample.value for sample in handled)
    failed = sum(sample.value for sample in handled if sample.labels["grpc_code"] in BAD)
    assert metrics.grpc_failed == failed > 0


def test_plain_figures(page: str, samples: list[Sample]) -> None:
    """Counters and gauges are whole numbers, the start is in ms."""
    metrics = parse(page, 7)
    assert metrics.at_ms == 7
    assert metrics.started_ms == round(value(samples, "process_start_time_seconds") * 1000)
    assert metrics.quota == 2 * 1024**3
    assert metrics.leader_changes == value(samples, "etcd_server_leader_changes_seen_total")
    assert metrics.proposals_failed == value(samples, "etcd_server_proposals_failed_total")
    assert metrics.proposals_pending == 0


def test_what_is_missing_is_unknown() -> None:
    """A page without a figure gives None for it, never zero."""
    metrics = parse("# nothing here\nother_metric 3\n", 0)
    assert metrics.wal_fsync is None
    assert metrics.backend_commit is None
    assert metrics.grpc_handling is None
    assert metrics.grpc_handled is None
    assert metrics.grpc_failed is None
    assert metrics.leader_changes is None
    assert metrics.started_ms is None
    assert metrics.peer_rtt == {}
