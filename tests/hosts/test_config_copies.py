"""The configuration of etcd on real hosts: copied off, over SSH."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from procedures.model.config_copy import ConfigCopy
from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")
FILES = ("ca.crt", "etcd.conf", "peer.crt", "peer.key", "server.crt", "server.key")
RECORD = ("ca/ca.crt", "ca/index.txt", "ca/openssl.cnf", "ca/serial")


@pytest.fixture(scope="module")
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in NAMES], bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Testbed) -> Cluster:
    return bed.cluster(NAMES)


async def all_copies(stage: RealStage) -> list[ConfigCopy]:
    copies, name = stage.backups.copies, stage.cluster.name
    return [await copies.read(name, each.name) for each in await copies.listing(name)]


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


async def test_each_host_is_copied(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """What is kept is what lies there; of the authority on the first host all but its key."""
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        journal = await stage.carried_out("etcd backup config")
        assert journal.run.state is State.SUCCEEDED, journal.run.error
        kept = await all_copies(stage)
    assert {each.host for each in kept} == set(NAMES)
    for copy in kept:
        record = RECORD if copy.host == NAMES[0] else ()
        names = {f"/etc/etcd/{name}" for name in (*FILES, *record)}
        assert {each.path for each in copy.files} == names
        for each in copy.files:
            there = bed[copy.host].path(each.path)
            assert each.sha256 == sha256(there.read_bytes()).hexdigest()
            assert each.mode == there.stat().st_mode & 0o777
        key = copy.file("/etc/etcd/peer.key")
        assert key is not None
        assert key.owner == "etcd"
    assert not any(" key of " in line for line in journal.said)
    assert modes(tmp_path) == {0o600}


async def test_a_spoiled_configuration_is_put_back(
    bed: Testbed, cluster: Cluster, tmp_path: Path
) -> None:
    """Somebody's edit keeps a member from starting; its copy brings it back, and nobody else."""
    host = bed["etcd-2"]
    conf, key = host.path("/etc/etcd/etcd.conf"), host.path("/etc/etcd/peer.key")
    before = (conf.read_text(), key.read_bytes(), key.stat().st_uid)
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        await stage.carried_out("etcd backup config", member="etcd-2")
        conf.write_text(f"{before[0]}ETCD_HEARTBEAT_INTERVAL=nonsense\n")
        key.unlink()
        host.run(["systemctl", "restart", "etcd.service"], check=False)
        await stage.down("etcd-2")
        journal = await stage.carried_out("etcd restore config", member="etcd-2")
    assert journal.run.state is State.SUCCEEDED, journal.run.error
    assert (conf.read_text(), key.read_bytes(), key.stat().st_uid) == before
    assert key.stat().st_mode & 0o777 == 0o600
    assert cluster.healthy() == list(NAMES)
    kept = host.run(["sh", "-c", "cat /etc/etcd/.etcd.conf.quorumbot-*"]).output
    assert "nonsense" in kept


async def test_a_copy_of_another_host_is_refused(
    bed: Testbed, cluster: Cluster, tmp_path: Path
) -> None:
    """With what speaks against it."""
    async with on_stage(bed, cluster, Platform.OKD3, tmp_path) as stage:
        await stage.carried_out("etcd backup config", member="etcd-1")
        (copy,) = await all_copies(stage)
        with pytest.raises(Refused, match=r"it is of the host etcd-1; its ETCD_NAME is etcd-1"):
            await stage.planned("etcd restore config", member="etcd-3", copy=copy.name)
