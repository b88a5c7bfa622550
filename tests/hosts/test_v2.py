"""Backing up and restoring clusters with a v2 store, on real hosts, over SSH."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.snapshot import is_archive
from tests.hosts.restoring import NAMES, cluster_id, ended, keys, listed, restored, write
from tests.hosts.stage import on_stage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed
from tests.testbed.around import serve_v2, v2
from tests.testbed.host import Host

_CONFIG = "etc/etcd/etcd.conf"
_OLD = "/var/lib/etcd/member.before-r-00000002"


@contextmanager
def a_cluster(inside: Namespace) -> Iterator[tuple[Testbed, Cluster]]:
    """Three members of 3.4 that serve both APIs, as OpenShift 3 had them."""
    with Testbed.start([HostSpec(name, "okd3", "3.4") for name in NAMES], bot=inside) as bed:
        cluster = bed.cluster(NAMES)
        serve_v2(cluster)
        yield bed, cluster


def in_v2(host: Host) -> list[str]:
    """All keys of the v2 store, as a host's member has them."""
    return sorted(v2(host, "ls", "--recursive", "/").split())


def write_v2(host: Host, count: int) -> None:
    for number in range(count):
        v2(host, "set", f"/net/key-{number}", f"value-{number}")


async def test_a_v2_store_is_backed_up(inside: Namespace, tmp_path: Path) -> None:
    """One member is stopped for it and comes back; what is kept is whole, and off the host."""
    with a_cluster(inside) as (bed, cluster):
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            write(cluster, "before", 20)
            write_v2(bed["etcd-2"], 20)
            journal = await stage.carried_out("etcd backup v2")
            ended(journal)
            [archive] = await stage.backups.archives(stage.cluster.name)
            assert is_archive(archive.name)
            assert archive.origin.v2 == ("/net",)
            assert await stage.backups.verify(archive) is None
            assert await stage.backups.listing(stage.cluster.name) == ()
        assert cluster.healthy() == list(NAMES)
        assert len(keys(cluster, "etcd-1")) == 20
        left = bed["etcd-1"].run(["ls", "-A", "/var/lib/quorumbot/files"]).output
        assert left.split() == []


async def test_both_stores_are_there_after_the_loss_of_two(
    inside: Namespace, tmp_path: Path
) -> None:
    """Two hosts lose their data and live: all three are members again, with all that was copied."""
    with a_cluster(inside) as (bed, cluster):
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            write(cluster, "before", 20)
            write_v2(bed["etcd-2"], 20)
            witness, listing = keys(cluster, "etcd-1"), in_v2(bed["etcd-1"])
            old = cluster_id(cluster, "etcd-1")
            ended(await stage.carried_out("etcd backup v2", member="etcd-3"))
            write(cluster, "after", 5)
            with pytest.raises(Refused, match="prod has quorum"):
                await stage.planned("etcd restore v2")
            for name in NAMES[1:]:
                bed[name].path("/var/lib/etcd/member/snap/db").write_bytes(b"torn" * 10_000)
                bed[name].run(["pkill", "-KILL", "-x", "etcd"])
            for name in NAMES[1:]:
                await stage.down(name)
            [archive] = await stage.backups.archives(stage.cluster.name)
            with pytest.raises(Refused, match=r"etcd-1 \(revision \d+\) answers, .* 5 revisions"):
                await stage.planned("etcd restore v2")
            await restored(stage, "etcd-1", "etcd restore v2", snapshot=archive.name)
        assert cluster.healthy() == list(NAMES)
        assert cluster_id(cluster, "etcd-1") != old
        for name in NAMES:
            assert keys(cluster, name) == witness
            assert listed(cluster, name) == set(NAMES)
            assert in_v2(bed[name]) == listing
            config = bed[name].path(f"/{_CONFIG}").read_text()
            assert "FORCE_NEW_CLUSTER" not in config
        assert v2(bed["etcd-3"], "get", "/net/key-19").strip() == "value-19"
        rows = cluster.etcdctl("member", "list", members=["etcd-1"])["members"]
        assert {url for row in rows for url in row["peerURLs"]} == {
            f"https://{bed[name].address}:2380" for name in NAMES
        }
        owner = bed["etcd-1"].run(["stat", "-c", "%U %a", "/var/lib/etcd/member", _OLD])
        assert owner.output.split() == ["etcd", "700", "etcd", "700"]
        left = bed["etcd-1"].run(["ls", "-A", "/var/lib/etcd"]).output.split()
        assert set(left) == {"member", _OLD.rpartition("/")[2]}


async def test_two_hosts_are_off(inside: Namespace, tmp_path: Path) -> None:
    """One member serves both stores alone, and the flag is in no process any more."""
    with a_cluster(inside) as (bed, cluster):
        async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
            write(cluster, "before", 20)
            write_v2(bed["etcd-2"], 20)
            witness, listing = keys(cluster, "etcd-1"), in_v2(bed["etcd-1"])
            ended(await stage.carried_out("etcd backup v2"))
            for name in NAMES[1:]:
                bed[name].power_off()
            await restored(stage, "etcd-1", "etcd restore v2")
        assert keys(cluster, "etcd-1") == witness
        assert in_v2(bed["etcd-1"]) == listing
        assert listed(cluster, "etcd-1") == {"etcd-1"}
        pid = bed["etcd-1"].run(["pgrep", "-x", "etcd"]).output.strip()
        environment = bed["etcd-1"].run(["cat", f"/proc/{pid}/environ"]).output
        assert "ETCD_ENABLE_V2" in environment
        assert "FORCE_NEW_CLUSTER" not in environment
