"""The demo cluster as the workspace's page and its control API reach it."""

from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.files import StateFiles


class DemoControl:
    """Passes requests on once the cluster is up, and keeps `pids/etcd-MEMBER` true."""

    def __init__(self, files: StateFiles) -> None:
        self._files = files
        self._cluster: DemoCluster | None = None

    def control(self, cluster: DemoCluster) -> None:
        """From now on, requests are for `cluster`."""
        self._cluster = cluster
        self._write_pids(cluster)

    async def act(self, member: str, do: str) -> None:
        """As `DemoCluster.act`; before there is a cluster, a ValueError."""
        if self._cluster is None:
            raise ValueError("the demo cluster is still being started: try again in a moment")
        try:
            await self._cluster.act(member, do)
        finally:
            self._write_pids(self._cluster)

    def _write_pids(self, cluster: DemoCluster) -> None:
        running = set(cluster.running)
        for member in cluster.endpoints:
            pid = cluster.pid(member) if member in running else None
            self._files.write_pid(f"etcd-{member}", pid)
