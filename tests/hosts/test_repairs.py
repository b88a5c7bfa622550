"""Repairs on real hosts, over SSH."""

import base64
from pathlib import Path

import pytest

from procedures.etcd.observe import observe
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.quorum import Health
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.support.waiting import eventually
from tests.testbed import Cluster, Host, HostSpec, Namespace, Testbed
from tests.testbed.around import install_time_service, show_time_service
from tests.testbed.flavours import Version

NAMES = ("etcd-1", "etcd-2", "etcd-3")
RIGHT, WRONG = b"what-was-written", b"what-no-one-did!"
DATABASE = "/var/lib/etcd/member/snap/db"


def spoil(host: Host) -> None:
    """Change a value in the data file, as a bad disk would: its pages bear no checksums."""
    host.run(["systemctl", "stop", "etcd.service"])
    file = host.path(DATABASE)
    content = file.read_bytes()
    assert RIGHT in content
    with file.open("r+b") as opened:
        opened.write(content.replace(RIGHT, WRONG))
    host.run(["systemctl", "start", "etcd.service"])


def watch(host: Host) -> None:
    """Let etcd compare the members itself, every second, while this one leads."""
    with host.path("/etc/etcd/etcd.conf").open("a") as conf:
        conf.write("ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME=1s\n")
    host.run(["systemctl", "restart", "etcd.service"])


def lead(cluster: Cluster, name: str) -> None:
    """Make a member the leader."""
    leader = cluster.leader()
    assert leader is not None
    if cluster.name(leader) != name:
        [status] = cluster.etcdctl("endpoint", "status", members=[name])
        heir = f"{status['Status']['header']['member_id']:x}"
        cluster.etcdctl("move-leader", heir, members=[cluster.name(leader)])


async def healthy(stage: RealStage) -> set[str]:
    view = await observe(stage.cluster, stage)
    return {seen.name for seen in view.voters if seen.health is Health.HEALTHY}


@pytest.mark.parametrize(("version", "leads"), [("3.4", False), ("3.4", True), ("3.5", False)])
async def test_a_member_whose_data_differs(
    inside: Namespace, tmp_path: Path, *, version: Version, leads: bool
) -> None:
    """Proven by hashes, also where it leads and accuses others; it comes back with their data."""
    with Testbed.start([HostSpec(name, "okd3", version) for name in NAMES], bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        for number in range(20):
            cluster.etcdctl("put", f"key-{number}", RIGHT.decode())
        for name in ["etcd-3"] if leads else ["etcd-1", "etcd-2"]:
            watch(bed[name])
        spoil(bed["etcd-3"])
        if leads:
            await eventually(lambda: cluster.healthy() == list(NAMES), 30, "all are healthy")
            lead(cluster, "etcd-3")
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            await eventually(lambda: corrupt(stage), 60, "CORRUPT is on")
            with pytest.raises(Refused, match=r"Name etcd-3"):
                await stage.planned("etcd replace-corrupt", member="etcd-1")
            with pytest.raises(Refused, match=r"CORRUPT is on.*\(R16\)"):
                await stage.planned("etcd restart")
            journal = await stage.carried_out("etcd replace-corrupt", member="etcd-3")
            assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
            assert await healthy(stage) == set(NAMES)
        cluster.etcdctl("put", "after", "fine")
        found = cluster.etcdctl("get", "key-7", "--consistency=s", members=["etcd-3"])["kvs"]
        assert base64.b64decode(found[0]["value"]) == RIGHT
        old = bed["etcd-3"].path("/var/lib/etcd/member.quorumbot-1/snap/db")
        assert WRONG in old.read_bytes()


async def corrupt(stage: RealStage) -> bool:
    alarms = (await observe(stage.cluster, stage)).alarms
    return any(each.kind == "CORRUPT" for each in alarms)


async def test_clocks_that_nothing_keeps_right(inside: Namespace, tmp_path: Path) -> None:
    """The time service that is installed is switched on for good, on each host; then none is."""
    with Testbed.start([HostSpec(name) for name in NAMES], bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        for name in NAMES:
            show_time_service(bed[name])
            if name != "etcd-1":
                install_time_service(bed[name])
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            with pytest.raises(Refused, match=r"etcd-1 is not synchronised, .* is masked"):
                await stage.planned("host clock fix", host="etcd-1")
            journal = await stage.carried_out("host clock fix")
            assert journal.run.state is State.SUCCEEDED, (journal.run.error, journal.said)
            with pytest.raises(Refused, match="The clocks of etcd-3 are synchronised"):
                await stage.planned("host clock fix", host="etcd-3")
            with pytest.raises(Refused, match="has enough entropy"):
                await stage.planned("host entropy fix")
        for name in NAMES[1:]:
            enabled = bed[name].run(["systemctl", "is-enabled", "chronyd.service"])
            assert enabled.output.strip() == "enabled"
        assert cluster.healthy() == list(NAMES)
