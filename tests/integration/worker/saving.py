"""A cluster without hosts, of which snapshots can be saved."""

from collections.abc import AsyncGenerator

from bot.targets.backups.memory import MemoryBackups, fake_snapshot
from bot.targets.etcd.memory import FakeEtcd
from procedures.model.inventory import Cluster
from tests.support.sight import FakeSight, a_sight_without_hosts


class Snapshotting(FakeEtcd):
    """Members whose snapshots the place for backups in memory can read."""

    async def snapshot(self, cluster: Cluster, endpoint: str) -> AsyncGenerator[bytes, None]:  # noqa: ARG002
        yield fake_snapshot(self.clusters[cluster.name].revision)


def a_saving_sight() -> FakeSight:
    """All members are well."""
    sight = a_sight_without_hosts()
    sight.etcd = Snapshotting(sight.etcd.clusters, sight.clock.now_ms)
    sight.backups = MemoryBackups(sight.clock)
    return sight
