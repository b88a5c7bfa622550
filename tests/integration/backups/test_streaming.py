"""From a real member over gRPC into a store, as a worker does it."""

from pathlib import Path

import pytest

from bot.targets.etcd.act import EtcdActor
from procedures.model.errors import Retryable
from procedures.model.ids import MemberId, MemberName
from procedures.model.snapshot import Origin
from tests.contract.backups.worlds import LocalWorld, S3World
from tests.contract.etcd.worlds import RealWorld
from tests.support.releases import Release
from tests.support.services import MakeCluster


@pytest.fixture(params=["local", "s3"])
def world(request: pytest.FixtureRequest) -> LocalWorld | S3World:
    """A real place."""
    found: LocalWorld | S3World = request.getfixturevalue(request.param)
    return found


async def test_a_snapshot_from_a_member(
    world: LocalWorld | S3World,
    make_cluster: MakeCluster,
    etcd_34: Release,
    tmp_path: Path,
) -> None:
    """It is saved and whole; of a member that is gone there is nothing."""
    demo = await make_cluster(size=1)
    real = RealWorld(demo, etcd_34, tmp_path)
    actor = EtcdActor()
    cluster = real.cluster
    endpoint = next(iter(cluster.endpoints.values()))
    origin = Origin(MemberId("1"), demo.name, "3.4.23", 1, quorum=True, db_size=20_480)
    try:
        snapshot = await world.backups.save(cluster, origin, actor.snapshot(cluster, endpoint))
        assert await world.backups.verify(snapshot) is None
        assert await world.backups.listing(cluster.name) == (snapshot,)
        await real.kill(MemberName(next(iter(cluster.endpoints))))
        with pytest.raises(Retryable):
            await world.backups.save(cluster, origin, actor.snapshot(cluster, endpoint))
        assert len(world.everything()) == 2
    finally:
        await actor.close()
        await real.close()
