"""Restoring v2 and v3 data beside the data, while nothing is stopped yet. (P32, R14; X13, X17)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue, ValidationError

from procedures.actions.host.command import Command
from procedures.actions.host.keep_v2 import Status
from procedures.actions.host.pieces import Piece, do, ended, holds, reach
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.restoring import RUN, Pinned, Tool, folder
from procedures.model.v2 import copy_argv, copy_folder, unpack_argv

_LIMIT_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class UnpackV2(Command):
    """Unpack an archive in the run's own folder, which only root can enter.

    Where that broke off, it is done again, over what is there.
    """

    KIND: ClassVar[str] = "host.unpack-v2/1"

    cluster: ClusterName
    platform: Platform
    at: At

    def _piece(self, run: RunId) -> Piece:
        return Piece("unpack", unpack_argv(run), _LIMIT_MS)


@dataclass(frozen=True, slots=True)
class RestoreV2:
    """Copy what was unpacked into a folder of the run's own inside the data folder.

    The tool reads all of it for that, log and snapshots, and gives it new ids: what is wrong shows
    here, before anything is stopped. A late duplicate is harmless: each command bears a mark on the
    host, under which it runs once, and the tool writes over nothing.
    """

    KIND: ClassVar[str] = "host.restore-v2/1"

    cluster: ClusterName
    platform: Platform
    at: At
    snapshot: Pinned
    tool: Tool

    @property
    def command(self) -> str:
        """The exact commands, and what has to be read."""
        return (
            f"{self.at.host}: {shlex.join(self._status_argv(copy_folder(RUN)))}: hash "
            f"{self.snapshot.hash}, revision {self.snapshot.revision}, {self.snapshot.total_keys} "
            f"keys\n{shlex.join(self._restore(RUN).argv)}\n"
            f"snapshot status of what was restored: revision {self.snapshot.revision}"
        )

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Check, restore, check. Raises Permanent with what is wrong."""
        cluster = world.inventory.clusters[self.cluster]
        host, run = await reach(world, cluster, self.at), work.mark("restore").run
        wanted = (int(self.snapshot.hash, 16), self.snapshot.revision, self.snapshot.total_keys)
        status = await self._status(world, cluster, host, copy_folder(run))
        if status is None or (status.hash, status.revision, status.keys) != wanted:
            message = f"What was unpacked on {host.name} is not what the plan says: {status}."
            raise Permanent(message)
        target = folder(layout(self.platform).data, run)
        if await holds(world, cluster, host, ("test", "-e", target)):
            await work.say(f"{target} is what an earlier attempt left; it has never been used")
            await do(world, work, cluster, host, self._clear(run))
        await do(world, work, cluster, host, self._restore(run))
        if not await self._right(world, cluster, host, run):
            message = f"{target} on {host.name} is not at revision {self.snapshot.revision}."
            raise Permanent(message)
        await work.say(f"restored into {target}; its revision is as expected")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether the tool came to its end, and what came out."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("restore").run
        finding = await ended(world, work, cluster, self.at, self._restore(run))
        if isinstance(finding, Happened):
            try:
                host = await reach(world, cluster, self.at)
                right = await self._right(world, cluster, host, run)
            except (Retryable, Permanent) as error:
                return Unclear(str(error))
            return finding if right else NotHappened()
        cleared = await ended(world, work, cluster, self.at, self._clear(run))
        return cleared if isinstance(cleared, Unclear) else finding

    def _clear(self, run: RunId) -> Piece:
        return Piece("clear", ("rm", "-r", folder(layout(self.platform).data, run)))

    def _restore(self, run: RunId) -> Piece:
        target = folder(layout(self.platform).data, run)
        return Piece("restore", copy_argv(self.tool, copy_folder(run), target), _LIMIT_MS)

    def _status_argv(self, place: str) -> tuple[str, ...]:
        db = f"{place}/member/snap/db"
        return self.tool.argv("snapshot", "status", db, "--write-out=json")

    async def _right(self, world: World, cluster: Cluster, host: Host, run: RunId) -> bool:
        target = folder(layout(self.platform).data, run)
        status = await self._status(world, cluster, host, target)
        return status is not None and status.revision == self.snapshot.revision

    async def _status(
        self, world: World, cluster: Cluster, host: Host, place: str
    ) -> Status | None:
        """What the tool reads; None where it cannot. Raises Retryable."""
        said = await world.hosts.ask(cluster, host, self._status_argv(place), 600_000)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        try:
            return Status.model_validate_json(said.out) if said.status == 0 else None
        except ValidationError:
            return None
