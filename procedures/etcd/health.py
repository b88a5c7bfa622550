"""How is an etcd cluster, and what is safe to do to it now? (catalogue P07)

Two samples, one `sample_gap_ms` apart: what moves (counters, lag, an election) is told from what
stands. The first answer comes after the first sample. Hosts, where some are configured, are asked
meanwhile, and nothing waits for them but the last answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field, replace

from procedures.engine.ports import Look
from procedures.etcd import figures as core
from procedures.etcd.advice import advise
from procedures.etcd.backup_age import backup_age
from procedures.etcd.certificates import certificates
from procedures.etcd.evidence import contested, listen, testified
from procedures.etcd.fragmentation import MIB
from procedures.etcd.host_health import HostSeen, clock_pairs, host_figures, look_at_hosts
from procedures.etcd.performance import performance
from procedures.etcd.rows import rows
from procedures.etcd.verdict import count, headline, judge, tolerance
from procedures.etcd.view import View, look_at, unasked
from procedures.model.ids import ClusterName
from procedures.model.inquiry import Inquiry
from procedures.model.inventory import Cluster
from procedures.model.probe import (
    Certificates,
    Fault,
    FaultKind,
    HashKv,
    Metrics,
    OwnCertificates,
    Sample,
    Versions,
)
from procedures.model.report import Figure, HealthReport, Verdict


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster to ask."""

    cluster: ClusterName


@dataclass(frozen=True, slots=True)
class _Details:
    """What is asked besides the samples, mostly between them. All maps are by endpoint."""

    hashes: Mapping[str, HashKv | Fault] = field(default_factory=dict)
    metrics: Mapping[str, Metrics | Fault] = field(default_factory=dict)
    versions: Mapping[str, Versions | Fault] = field(default_factory=dict)
    certificates: Mapping[str, Certificates] = field(default_factory=dict)
    own: OwnCertificates | None = None
    metrics_later: Mapping[str, Metrics | Fault] = field(default_factory=dict)


async def ask(args: Args, look: Look) -> AsyncIterator[HealthReport]:
    """Give the first verdict, then the whole answer."""
    cluster = look.inventory.clusters[args.cluster]
    hosts = asyncio.create_task(look_at_hosts(cluster, look))
    backup = asyncio.create_task(backup_age(cluster, look))
    try:
        async for report in _ask(cluster, look, hosts, backup):
            yield report
    finally:
        hosts.cancel()
        backup.cancel()
        await asyncio.wait([hosts, backup])


INQUIRY = Inquiry("etcd health", Args, ask)

_Hosts = Mapping[str, HostSeen | Fault]


async def _ask(
    cluster: Cluster, look: Look, hosts: Awaitable[_Hosts], backup: Awaitable[Figure]
) -> AsyncIterator[HealthReport]:
    first = await look.etcd.sample(cluster)
    yield _first_report(cluster, look_at(cluster, first))
    extra = unasked(cluster, first)
    details, _, _ = await asyncio.gather(
        _details(cluster, first, look),
        look.clock.sleep_ms(cluster.sample_gap_ms),
        listen(cluster, look_at(cluster, first), look),
    )
    second, later = await asyncio.gather(
        look.etcd.sample(cluster, extra), look.etcd.metrics(cluster, _answering(first))
    )
    details = replace(details, metrics_later=later)
    if look_at(cluster, first).quorum_proven and not look_at(cluster, second).quorum_proven:
        # It may only be an election: quorum is not called lost before two samples agree.
        second = await look.etcd.sample(cluster, extra)
    view = testified(cluster, look_at(cluster, second), look)
    view = await contested(cluster, view, look)
    seen, now_s = await hosts, look.clock.now_ms() // 1_000
    report = _last_report(cluster, first, view, details, now_s)
    yield replace(
        report,
        figures=(*report.figures, await backup),
        hosts=host_figures(view, seen, now_s),
        clocks=clock_pairs(seen),
    )


def _first_report(cluster: Cluster, view: View) -> HealthReport:
    figures = [*core.judged(view), *core.inventory(cluster, view), *core.leader(view)]
    return _report(cluster, view, Verdict.CHECKING, [*figures, *core.alarms(view)], samples=1)


def _last_report(
    cluster: Cluster,
    first: Sample,
    view: View,
    details: _Details,
    now_s: int,
) -> HealthReport:
    before = look_at(cluster, first)
    names = {member.id: member.name for member in view.members}
    quotas = {
        seen.name: scrape.quota
        for seen in view.seen
        if seen.probe
        and isinstance(scrape := details.metrics_later.get(seen.probe.endpoint), Metrics)
        and scrape.quota
    }
    figures = [
        *core.judged(view),
        *core.inventory(cluster, view),
        *core.leader(view),
        *core.raft(before, view),
        *core.hashes(view, details.hashes),
        *core.alarms(view),
        *core.space(view, quotas),
        *core.versions(view, details.versions),
        *certificates(view, details.certificates, details.own, now_s),
    ]
    for seen in view.seen:
        if seen.probe and seen.status:
            before_it = details.metrics.get(seen.probe.endpoint)
            after_it = details.metrics_later.get(seen.probe.endpoint)
            figures += performance(seen.name, before_it, after_it, names)
    figures += core.unlearnt(hosts=bool(cluster.hosts and cluster.ssh))
    return _report(cluster, view, judge(view, figures), figures, samples=2)


def _report(
    cluster: Cluster, view: View, verdict: Verdict, figures: list[Figure], samples: int
) -> HealthReport:
    return HealthReport(
        cluster=cluster.name,
        verdict=verdict,
        headline=headline(cluster.name, view, verdict),
        members=count(view, verdict),
        voters=len(view.voters),
        tolerance=tolerance(view),
        advice=advise(view, core.distrust(view, figures)),
        rows=rows(view),
        figures=tuple(figures),
        samples=samples,
    )


async def _details(cluster: Cluster, sample: Sample, look: Look) -> _Details:
    view = look_at(cluster, sample)
    endpoints = _answering(sample)
    ports = {
        seen.probe.endpoint: seen.listed.peer_urls[0]
        if seen.listed and seen.listed.peer_urls
        else None
        for seen in view.seen
        if seen.probe
    }
    hashes, metrics, versions, ports_seen, own = await asyncio.gather(
        _hashes(cluster, view, look),
        look.etcd.metrics(cluster, endpoints),
        look.etcd.versions(cluster, endpoints),
        look.etcd.certificates(cluster, ports),
        look.etcd.own_certificates(cluster),
    )
    return _Details(hashes, metrics, versions, ports_seen, own)


async def _hashes(cluster: Cluster, view: View, look: Look) -> Mapping[str, HashKv | Fault]:
    """Compare at a revision that every member has reached."""
    asked = [
        (seen.probe.endpoint, seen.status) for seen in view.voters if seen.probe and seen.status
    ]
    if not asked:
        return {}
    endpoints = [endpoint for endpoint, _ in asked]
    biggest = max(status.db_size for _, status in asked)
    if biggest > cluster.hash_up_to_bytes:
        why = f"not compared: above {cluster.hash_up_to_bytes / MIB:,.0f} MiB it takes too long"
        return dict.fromkeys(endpoints, Fault(FaultKind.SKIPPED, why))
    return await look.etcd.hashes(cluster, endpoints, min(status.revision for _, status in asked))


def _answering(sample: Sample) -> list[str]:
    return [probe.endpoint for probe in sample.probes if not isinstance(probe.status, Fault)]
