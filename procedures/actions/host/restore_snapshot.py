"""Restoring a snapshot beside the data, while nothing is stopped yet. (P34, R14; X10, X11, X21)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from procedures.actions.host.pieces import Piece, do, ended, holds, reach
from procedures.actions.host.send_snapshot import sha256_on
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.asking import Asking
from procedures.etcd.standing import find_tool
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.platform import layout
from procedures.model.probe import Fault
from procedures.model.restoring import (
    RUN,
    Pinned,
    Seed,
    Tool,
    folder,
    least_revision,
    restore_argv,
    snapshot_file,
)

_SLOWEST_BYTES_A_MS = 5_000


@dataclass(frozen=True, slots=True)
class RestoreSnapshot:
    """Restore into a folder of the run's own inside the data folder, and look at what came out.

    etcd may run meanwhile: its own data is not touched. What is wrong with the tool, the snapshot
    or the disk shows here, before anything is stopped. A late duplicate is harmless: each command
    bears a mark on the host, under which it runs once, and the tool writes over nothing.
    """

    KIND: ClassVar[str] = "host.restore-snapshot/1"

    cluster: ClusterName
    platform: Platform
    at: At
    snapshot: Pinned
    tool: Tool
    seed: Seed

    @property
    def command(self) -> str:
        """The exact command, and what is compared before and after."""
        status = self.tool.argv("snapshot", "status", snapshot_file(RUN), "--write-out=json")
        return (
            f"{self.at.host}: {shlex.join(self.tool.argv('snapshot', 'restore', '--help'))}\n"
            f"{shlex.join(status)}: hash {self.snapshot.hash}, revision {self.snapshot.revision}, "
            f"{self.snapshot.total_keys} keys\n"
            f"where an earlier attempt of this run broke off: {shlex.join(self._clear(RUN).argv)}\n"
            f"{shlex.join(self._argv(RUN))}\n"
            f"snapshot status of what was restored: revision "
            f"{least_revision(self.snapshot, self.tool)}"
        )

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    def _argv(self, run: RunId) -> tuple[str, ...]:
        return restore_argv(self.tool, self.seed, layout(self.platform).data, run)

    def _restore(self, run: RunId) -> Piece:
        limit_ms = 600_000 + self.snapshot.size // _SLOWEST_BYTES_A_MS
        return Piece("restore", self._argv(run), limit_ms)

    def _clear(self, run: RunId) -> Piece:
        """Remove what the tool has begun to write: nothing has ever used it."""
        return Piece("clear", ("rm", "-r", folder(layout(self.platform).data, run)))

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Check, restore, check. Raises Permanent with what is wrong."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        host, run = await reach(world, cluster, self.at), work.mark("restore").run
        try:
            tool = await find_tool(Asking(world, cluster, host), how, self.tool.minor)
        except Refused as error:
            raise Retryable(str(error)) from error
        if tool != self.tool:
            message = (
                f"{self.tool.program} {self.tool.minor} on {host.name} does not restore as it did "
                "when the plan was made (X21). Nothing was stopped. Ask again."
            )
            raise Permanent(message)
        await self._same(world, cluster, host, run)
        target = folder(how.data, run)
        if await holds(world, cluster, host, ("test", "-e", target)):
            await work.say(f"{target} is what an earlier attempt left; it has never been used")
            await do(world, work, cluster, host, self._clear(run))
        await do(world, work, cluster, host, self._restore(run))
        if wrong := await self._wrong(world, cluster, host, run):
            raise Permanent(wrong)
        await work.say(f"restored into {target}; its revision is as expected")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether the tool came to its end, and what came out."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("restore").run
        clear = self._clear(run)
        for piece in (self._restore(run), clear):
            finding = await ended(world, work, cluster, self.at, piece)
            if isinstance(finding, Unclear):
                return finding
            # What broke off may look whole, and lack its log: only the tool's own word counts.
            if isinstance(finding, Happened) and piece is not clear:
                return await self._found(world, cluster, run)
        return NotHappened()

    async def _found(self, world: World, cluster: Cluster, run: RunId) -> Finding:
        try:
            host = await reach(world, cluster, self.at)
            wrong = await self._wrong(world, cluster, host, run)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        return NotHappened() if wrong else Happened()

    async def _same(self, world: World, cluster: Cluster, host: Host, run: RunId) -> None:
        """Make sure that what lies on the host is what was approved. Raises Permanent."""
        path = snapshot_file(run)
        if await sha256_on(world, cluster, host, path, self.snapshot.size) != self.snapshot.sha256:
            message = f"{path} on {host.name} is not the snapshot of the plan. Nothing was stopped."
            raise Permanent(message)
        status = await self._status(world, cluster, host, path)
        wanted = (int(self.snapshot.hash, 16), self.snapshot.revision, self.snapshot.total_keys)
        if status is None or (status.hash, status.revision, status.keys) != wanted:
            message = (
                f"{self.tool.program} on {host.name} reads {path} as {status}, and the plan says "
                f"hash {self.snapshot.hash}, revision {self.snapshot.revision}, "
                f"{self.snapshot.total_keys} keys. Nothing was stopped."
            )
            raise Permanent(message)

    async def _wrong(self, world: World, cluster: Cluster, host: Host, run: RunId) -> str | None:
        """Say what is wrong with what was restored."""
        path = f"{folder(layout(self.platform).data, run)}/member/snap/db"
        status = await self._status(world, cluster, host, path)
        wanted = least_revision(self.snapshot, self.tool)
        if status is not None and status.revision == wanted:
            return None
        found = f"revision {status.revision}" if status else "nothing that can be read"
        return f"{path} on {host.name} has {found}, and not revision {wanted}."

    async def _status(
        self, world: World, cluster: Cluster, host: Host, path: str
    ) -> "_Status | None":
        """What the tool reads of a file; None where it cannot. Raises Retryable."""
        argv = self.tool.argv("snapshot", "status", path, "--write-out=json")
        limit_ms = 30_000 + self.snapshot.size // _SLOWEST_BYTES_A_MS
        said = await world.hosts.ask(cluster, host, argv, limit_ms)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        try:
            return _Status.model_validate_json(said.out) if said.status == 0 else None
        except ValidationError:
            return None


class _Status(BaseModel):
    hash: int
    revision: int
    keys: int = Field(alias="totalKey")

    def __str__(self) -> str:
        return f"hash {self.hash:x}, revision {self.revision}, {self.keys} keys"
