"""What real hosts tell of themselves, over SSH, in `etcd health`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from procedures.etcd import health
from procedures.etcd.spare import look_at_spare
from procedures.host import clock, disk, entropy
from procedures.host.answering import Args
from procedures.model.inquiry import Inquiry
from procedures.model.inventory import Inventory, Platform
from procedures.model.report import Figure, HealthReport, HostsReport, Level
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed, no_latency

NAMES = ("etcd-1", "etcd-2", "etcd-3")
GOOD = {Level.OK, Level.INFO}


@pytest.fixture(scope="module")
def bed(inside: Namespace) -> Iterator[Testbed]:
    specs = [HostSpec(NAMES[0], disk_mib=256), *(HostSpec(name) for name in NAMES[1:])]
    with Testbed.start(specs, bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Testbed) -> Cluster:
    return bed.cluster(NAMES)


async def asked(stage: RealStage) -> HealthReport:
    name = stage.cluster.name
    answers = [report async for report in health.ask(health.Args(name), stage)]
    return answers[-1]


def figures(report: HealthReport, name: str) -> dict[str | None, Figure]:
    return {each.member: each for each in report.hosts if each.name == name}


async def test_hosts_that_are_well(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Every question has an answer, but for time: these hosts have no service for it."""
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        report = await asked(stage)
    assert report.headline == "prod: healthy, 3 of 3 members"
    strange = [each for each in report.hosts if each.level not in GOOD]
    assert {each.name for each in strange} <= {"time service"}, strange
    for name in ("service", "config", "disk", "data", "entropy", "CA file"):
        assert set(figures(report, name)) == set(NAMES)
    assert len(report.clocks) == 3  # one machine carries all three, so their clocks are one
    assert all(pair.by_ms <= pair.give_or_take_ms for pair in report.clocks)
    assert figures(report, "disk")["etcd-1"].text.endswith("/var/lib/etcd, a mount of its own")
    assert figures(report, "disk")["etcd-2"].text.endswith("which has /var/lib/etcd")
    assert figures(report, "service")["etcd-3"].text.startswith("enabled, active, 0 restarts")


async def test_what_is_wrong_on_a_host(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Another name in the configuration, a unit that was disabled, a certificate that is gone."""
    conf = bed["etcd-2"].path("/etc/etcd/etcd.conf")
    before = conf.read_text()
    conf.write_text(before.replace("ETCD_NAME=etcd-2", "ETCD_NAME=etcd-20"))
    bed["etcd-2"].run(["systemctl", "disable", "etcd.service"])
    bed["etcd-2"].run(["mv", "/etc/etcd/peer.crt", "/etc/etcd/peer.crt.away"])
    try:
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            report = await asked(stage)
    finally:
        conf.write_text(before)
        bed["etcd-2"].run(["systemctl", "enable", "etcd.service"])
        bed["etcd-2"].run(["mv", "/etc/etcd/peer.crt.away", "/etc/etcd/peer.crt"])
    wrong = {each.name: each for each in report.hosts if each.level is Level.WARN}
    assert wrong["config"].text.startswith("ETCD_NAME is 'etcd-20'")
    assert wrong["service"].text.startswith("disabled, active")
    assert wrong["peer certificate file"].text == "/etc/etcd/peer.crt is missing or no certificate"
    assert {wrong[each].member for each in ("config", "service")} == {"etcd-2"}
    assert report.headline == "prod: healthy, 3 of 3 members"


async def test_a_host_whose_way_is_closed(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Its member answers and its host does not: unknown, with why, and the verdict stays."""
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        known = stage.cluster
        hosts = tuple(
            replace(host, port=host.port + (host.name == "etcd-3")) for host in known.hosts
        )
        stage.inventory = Inventory({known.name: replace(known, hosts=hosts)})
        report = await asked(stage)
    (only,) = [each for each in report.hosts if each.member == "etcd-3"]
    assert (only.name, only.level) == ("host", Level.UNKNOWN)
    assert report.headline == "prod: healthy, 3 of 3 members"


@pytest.mark.parametrize("question", [clock.INQUIRY, disk.INQUIRY, entropy.INQUIRY])
async def test_questions_about_hosts_alone(
    question: Inquiry, bed: Testbed, cluster: Cluster, tmp_path: Path
) -> None:
    """Each host answers."""
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        (report,) = [each async for each in question.ask(Args(stage.cluster.name), stage)]
    assert isinstance(report, HostsReport)
    assert " of 3 of 3 hosts, " in report.headline
    strange = {each.name for each in report.figures if each.level not in GOOD}
    assert strange <= {"time service"}


async def test_hosts_that_are_far_away(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """At 200 ms all is learnt in time, by health and by the look before a replacement."""
    if reason := no_latency():
        pytest.skip(reason)
    for host in cluster.members:
        host.latency(200)
    try:
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            report = await asked(stage)
            assert not [each for each in report.hosts if each.name == "host"], report.hosts
            assert "did not answer" not in repr(report.hosts)
            spare = await look_at_spare(stage.cluster, stage.cluster.hosts[2], stage)
            assert spare.config is not None
    finally:
        for host in cluster.members:
            host.latency(0)
