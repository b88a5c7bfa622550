"""Restoring clusters that have lost their quorum, on real hosts, over SSH."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from procedures.engine.execute import execute
from procedures.model.errors import Refused
from procedures.model.events import Reported
from procedures.model.ids import UserId
from procedures.model.inventory import Platform
from procedures.model.restoring import BUMP
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import Journal, RealStage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed
from tests.testbed.flavours import FlavourName, Version

NAMES = ("etcd-1", "etcd-2", "etcd-3")
_OLD = "/var/lib/etcd/member.before-r-00000002"


@contextmanager
def a_cluster(
    inside: Namespace, version: Version, flavour: FlavourName = "okd3"
) -> Iterator[tuple[Testbed, Cluster]]:
    specs = [HostSpec(name, flavour, version) for name in NAMES]
    with Testbed.start(specs, bot=inside) as bed:
        if flavour == "ocp311":  # its runbooks install the client on the host, too
            for name in NAMES:
                program = f"/opt/etcd-{version}/usr/bin/etcdctl"
                bed[name].run(["ln", "--symbolic", program, "/usr/bin/etcdctl"])
        yield bed, bed.cluster(NAMES)


def write(cluster: Cluster, prefix: str, count: int) -> int:
    """Write keys; gives the revision of the last one."""
    for number in range(count):
        answer = cluster.etcdctl(
            "put", f"{prefix}-{number}", "x" * 1000, members=list(cluster.endpoints)[:1]
        )
    return int(answer["header"]["revision"])


def keys(cluster: Cluster, member: str) -> dict[str, tuple[str, int, int]]:
    """Value, version and creation of each key, as a witness has them."""
    found = cluster.etcdctl("get", "", "--prefix", members=[member]).get("kvs", [])
    return {
        each["key"]: (each["value"], each["version"], each["create_revision"]) for each in found
    }


def cluster_id(cluster: Cluster, member: str) -> int:
    [answer] = cluster.etcdctl("endpoint", "status", members=[member])
    return int(answer["Status"]["header"]["cluster_id"])


def listed(cluster: Cluster, member: str) -> set[str]:
    """Who is a voter, as a member has it."""
    rows = cluster.etcdctl("member", "list", members=[member])["members"]
    return {row["name"] for row in rows if not row.get("isLearner")}


async def restored(stage: RealStage, on: str) -> None:
    """Restore; what people are asked to do, they say they have done: no API server runs here."""
    journal = await stage.carried_out("etcd restore", on=on)
    asked = journal.run.asked
    if asked is not None:
        await journal.write(Reported(asked.step, asked.attempt, UserId("U0BOB")))
        assert journal.run.plan is not None
        await execute(journal.run.plan, journal, stage)
    ended(journal)


def ended(journal: Journal) -> None:
    run = journal.run
    assert run.state is State.SUCCEEDED, (run.error, run.doubt, journal.said)


async def test_two_of_three_hosts_are_lost(inside: Namespace, tmp_path: Path) -> None:
    """All keys up to the snapshot are there again, and none of later; the old data is kept."""
    with a_cluster(inside, "3.5") as (bed, cluster):
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            write(cluster, "before", 20)
            witness, old = keys(cluster, "etcd-1"), cluster_id(cluster, "etcd-1")
            ended(await stage.carried_out("etcd backup"))
            write(cluster, "after", 5)
            with pytest.raises(Refused, match="prod has quorum"):
                await stage.planned("etcd restore")
            for name in NAMES[1:]:
                bed[name].power_off()
            plan = await stage.planned("etcd restore")
            assert sum("must stay off" in fact for fact in plan.facts) == 2
            await restored(stage, "etcd-1")
        assert keys(cluster, "etcd-1") == witness
        assert cluster_id(cluster, "etcd-1") != old
        assert listed(cluster, "etcd-1") == {"etcd-1"}
        revision = write(cluster, "again", 1)
        assert revision > BUMP
        owner = bed["etcd-1"].run(["stat", "-c", "%U %a", "/var/lib/etcd/member", _OLD])
        assert owner.output.split() == ["etcd", "700", "etcd", "700"]


@pytest.mark.parametrize(
    ("flavour", "platform", "version"),
    [
        ("okd3", Platform.OKD3, "3.4"),
        ("ocp311", Platform.OCP311, "3.4"),
        ("kubespray", Platform.KUBESPRAY, "3.5"),
    ],
)
async def test_all_data_is_lost(
    inside: Namespace,
    flavour: FlavourName,
    platform: Platform,
    version: Version,
    tmp_path: Path,
) -> None:
    """Each member's file is torn, and its host lives: in the end all three are there again."""
    with a_cluster(inside, version, flavour) as (bed, cluster):
        members = list(cluster.endpoints)
        async with on_stage(bed, cluster, platform, tmp_path) as stage:
            write(cluster, "before", 20)
            witness = keys(cluster, members[0])
            ended(await stage.carried_out("etcd backup"))
            for name in NAMES:
                bed[name].path("/var/lib/etcd/member/snap/db").write_bytes(b"torn" * 10_000)
                bed[name].run(["pkill", "-KILL", "-x", "etcd"])
            for member in members:
                await stage.down(member)
            await restored(stage, members[1])
        assert cluster.healthy() == members
        for member in members:
            assert keys(cluster, member) == witness
            assert listed(cluster, member) == set(members)
        for name in NAMES:
            assert bed[name].run(["cat", f"{_OLD}/snap/db"]).output.startswith("torn")
            left = bed[name].run(["ls", "-A", "/var/lib/etcd"]).output.split()
            assert set(left) == {"member", _OLD.rpartition("/")[2]}
