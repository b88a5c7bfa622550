"""What is stored anywhere can be restored: the real etcd starts on it and has every key."""

import os
from pathlib import Path

import pytest

from tests.contract.backups.real import revision, take
from tests.contract.backups.values import an_origin, stream
from tests.contract.backups.worlds import LocalWorld, S3World
from tests.support.etcdctl import etcdctl
from tests.support.releases import Release
from tests.support.restoring import restored
from tests.support.services import MakeCluster

KEYS = 120
OWN_ENTRIES = 10
"""etcd's own, e.g. the members, are a handful at most."""


@pytest.fixture(params=["local", "s3"])
def world(request: pytest.FixtureRequest) -> LocalWorld | S3World:
    """A real place."""
    found: LocalWorld | S3World = request.getfixturevalue(request.param)
    return found


async def test_a_stored_snapshot_is_restored(
    world: LocalWorld | S3World,
    make_cluster: MakeCluster,
    etcd_34: Release,
    tmp_path: Path,
) -> None:
    """Every key is back, as many as the tool counted besides etcd's own entries."""
    tool = etcd_34.etcdctl
    demo = await make_cluster(size=1)
    for number in range(KEYS):
        await etcdctl(tool, demo, "put", f"key-{number}", os.urandom(8).hex())
    full = await take(demo, tool, tmp_path / "full.db")
    origin = an_origin(await revision(demo, tool))
    snapshot = await world.backups.save(world.cluster, origin, stream(full.data))
    file = tmp_path / "from-the-store.db"
    file.write_bytes(world.bytes_of(snapshot))
    async with restored(etcd_34, file, tmp_path / "scratch") as (count, at):
        assert count == KEYS
        assert 0 < snapshot.total_keys - count < OWN_ENTRIES
        assert at == snapshot.revision == origin.revision
