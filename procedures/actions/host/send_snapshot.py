"""Bringing a snapshot to the host on which it is restored, and removing it there. (P34; X17)"""

from contextlib import aclosing
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.verify_snapshot import kept
from procedures.actions.host.command import Command
from procedures.actions.host.pieces import Piece, reach
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.restoring import RUN, Pinned, folder, snapshot_file
from procedures.model.snapshot import is_archive
from procedures.model.v2 import archive_file

_SLOWEST_BYTES_A_MS = 10_000


@dataclass(frozen=True, slots=True)
class SendSnapshot:
    """Stream a snapshot from the place for backups into a file that only root can read.

    A late duplicate is harmless: what is there is replaced by the same at most.
    """

    KIND: ClassVar[str] = "host.send-snapshot/1"

    cluster: ClusterName
    at: At
    snapshot: Pinned

    @property
    def command(self) -> str:
        """From where, to where."""
        return f"{self.at.host}: {self.snapshot.name} to {self._path(RUN)}, mode 0600"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    def _path(self, run: RunId) -> str:
        return archive_file(run) if is_archive(self.snapshot.name) else snapshot_file(run)

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Send it. Raises Permanent where something else arrived."""
        found = await kept(world, self.cluster, self.snapshot)
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        path = self._path(work.mark("send").run)
        await work.guard()
        assert world.backups is not None  # noqa: S101 (it was found there)
        async with aclosing(world.backups.read(found)) as chunks:
            arrived = await world.on_hosts.send(cluster, host, path, chunks)
        if arrived != self.snapshot.sha256:
            message = f"{path} on {host.name} has the SHA-256 {arrived}, and not that of the plan."
            raise Permanent(message)
        await work.say(f"{host.name}: {path}, SHA-256 {arrived}")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it is there, whole: it gets its name when it is."""
        cluster = world.inventory.clusters[self.cluster]
        path = self._path(work.mark("send").run)
        try:
            host = await reach(world, cluster, self.at)
            there = await sha256_on(world, cluster, host, path, self.snapshot.size)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        return Happened() if there == self.snapshot.sha256 else NotHappened()


@dataclass(frozen=True, slots=True)
class RemoveCopy(Command):
    """Remove a restored snapshot's copy from a host, and the folder that is empty by now.

    A late duplicate is harmless: what is gone is gone, and a folder that is not empty stays.
    """

    KIND: ClassVar[str] = "host.remove-copy/1"

    cluster: ClusterName
    platform: Platform
    at: At

    def _piece(self, run: RunId) -> Piece:
        data = layout(self.platform).data
        return Piece("remove", ("rm", "-f", "-d", snapshot_file(run), folder(data, run)))


async def sha256_on(world: World, cluster: Cluster, host: Host, path: str, size: int) -> str | None:
    """The SHA-256 of a file on a host; None where there is none. Raises Retryable."""
    limit_ms = 10_000 + size // _SLOWEST_BYTES_A_MS
    said = await world.hosts.ask(cluster, host, ("sha256sum", path), limit_ms)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    return said.out.split()[0] if said.status == 0 else None
