"""Backups of real hosts: snapshots that are whole, flipped, cut off; drills; kubespray's files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from procedures.model.errors import Refused
from procedures.model.inventory import Platform
from procedures.model.run import State
from procedures.model.snapshot import Snapshot
from tests.hosts.stage import on_stage
from tests.support.real_stage import RealStage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")
KEYS = 50


@pytest.fixture(scope="module")
def bed(inside: Namespace) -> Iterator[Testbed]:
    specs = [HostSpec(name, "kubespray") for name in NAMES]
    with Testbed.start(specs, bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Testbed) -> Cluster:
    return bed.cluster(NAMES)


def stored(folder: Path, name: str) -> list[Path]:
    return list(folder.rglob(name))


async def backed_up(stage: RealStage) -> Snapshot:
    run = (await stage.carried_out("etcd backup")).run
    assert run.state is State.SUCCEEDED, run.error
    return (await stage.backups.listing(stage.cluster.name))[0]


async def test_a_snapshot_is_drilled(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Every key is served again, and HashKV is what the member had; no host is touched."""
    for number in range(KEYS):
        cluster.etcdctl("put", f"key-{number}", "value")
    async with on_stage(bed, cluster, Platform.KUBESPRAY, tmp_path) as stage:
        snapshot = await backed_up(stage)
        assert snapshot.origin.hash_kv is not None
        journal = await stage.carried_out("etcd drill")
        assert journal.run.state is State.SUCCEEDED, journal.run.error
        drill = await stage.backups.drills.last(stage.cluster.name)
    assert drill is not None
    assert (drill.snapshot, drill.fault, drill.hash_compared) == (snapshot.name, None, True)
    assert drill.keys >= KEYS
    assert drill.revision >= snapshot.revision
    assert cluster.healthy() == list(cluster.endpoints)


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "flipped": lambda data: data[:9000] + bytes([data[9000] ^ 1]) + data[9001:],
    "truncated": lambda data: data[: len(data) // 2],
}


@pytest.mark.parametrize("how", SPOILED)
async def test_a_spoiled_snapshot(bed: Testbed, cluster: Cluster, tmp_path: Path, how: str) -> None:
    """It is found out before anything is planned on it; made whole again, it is taken."""
    async with on_stage(bed, cluster, Platform.KUBESPRAY, tmp_path) as stage:
        snapshot = await backed_up(stage)
        file = stored(tmp_path, snapshot.name)[0]
        whole = file.read_bytes()
        file.write_bytes(SPOILED[how](whole))
        with pytest.raises(Refused, match=r"is damaged|is cut off"):
            await stage.planned("etcd drill", snapshot=snapshot.name)
        with pytest.raises(Refused, match=r"There is no whole snapshot"):
            await stage.planned("etcd drill")
        file.write_bytes(whole)
        assert (await stage.planned("etcd drill")).steps


async def test_files_of_kubespray(bed: Testbed, cluster: Cluster, tmp_path: Path) -> None:
    """Calico's certificates too, byte for byte, 0600; no authority's key, and no data."""
    calico = bed["etcd-1"].path("/etc/calico/certs/key.pem")
    calico.parent.mkdir(parents=True, exist_ok=True)
    calico.write_text("-----BEGIN PRIVATE KEY-----\n")
    async with on_stage(bed, cluster, Platform.KUBESPRAY, tmp_path) as stage:
        journal = await stage.carried_out("etcd backup config")
        assert journal.run.state is State.SUCCEEDED, journal.run.error
        copies = stage.backups.copies
        found = [
            await copies.read(stage.cluster.name, each.name)
            for each in await copies.listing(stage.cluster.name)
        ]
    assert len(found) == len(NAMES)
    (first,) = (each for each in found if each.file("/etc/calico/certs/key.pem"))
    paths = {each.path for each in first.files}
    assert "/etc/etcd.env" in paths
    assert not any(path.endswith("ca-key.pem") or path.startswith("/var") for path in paths)
    for each in first.files:
        assert each.content == bed["etcd-1"].path(each.path).read_bytes()
    assert {path.stat().st_mode & 0o777 for path in stored(tmp_path, "*.json")} == {0o600}
