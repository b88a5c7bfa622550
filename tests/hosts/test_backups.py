"""Copies of kubespray's files from real hosts. Snapshots: `matrix/test_upkeep.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.hosts.stage import on_stage
from tests.testbed import Cluster, HostSpec, Namespace, Testbed

NAMES = ("etcd-1", "etcd-2", "etcd-3")


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
