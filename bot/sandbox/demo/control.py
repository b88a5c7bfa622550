"""The demo cluster as the workspace's page and its control API reach it."""

from collections.abc import Mapping
from typing import Protocol

from bot.sandbox.files import StateFiles


class Demo(Protocol):
    """A demo cluster that does what it is told."""

    async def act(self, member: str, do: str) -> None:
        """Do `do` to `member`; LookupError when unknown, ValueError when not possible."""
        ...

    def pids(self) -> Mapping[str, int | None]:
        """The processes that are to be known, by member; None for one that has none now."""
        ...


class DemoControl:
    """Passes requests on once the cluster is up, and keeps `pids/etcd-MEMBER` true."""

    def __init__(self, files: StateFiles) -> None:
        self._files = files
        self._cluster: Demo | None = None

    def control(self, cluster: Demo) -> None:
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

    def _write_pids(self, cluster: Demo) -> None:
        for member, pid in cluster.pids().items():
            self._files.write_pid(f"etcd-{member}", pid)
