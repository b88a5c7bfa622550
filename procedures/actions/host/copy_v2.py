"""Copying a member's v2 and v3 data while it is stopped for that. (catalogue P23; X2, X13, X17)"""

from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, holds, reach, settled
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import InDoubt, Permanent, QuorumbotError, Retryable
from procedures.model.host import Ended, NeverStarted
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import layout
from procedures.model.restoring import RUN, Tool
from procedures.model.v2 import copy_argv, copy_folder

_LIMIT_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class CopyV2(RestartEtcd):
    """Stop etcd, copy its data into a folder that only root can enter, and start it again.

    It is started whatever became of the copy, and before a cancel is heeded. A late duplicate is
    harmless: each command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.copy-v2/1"

    tool: Tool

    @property
    def command(self) -> str:
        """The exact commands."""
        how = layout(self.platform)
        return f"{self.at.host}: {how.typed(how.stop, tuple(self._copy(RUN).argv), how.start)}"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Copy it. Raises Permanent where there is no copy; etcd runs then too."""
        await RestartEtcd.perform(self, world, work)
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        if not await self._copied(world, work, cluster, host, work.mark("copy").attempt):
            message = f"etcd runs on {host.name} again, and its data could not be copied."
            raise Permanent(message)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was copied, and runs again."""
        cluster = world.inventory.clusters[self.cluster]
        try:
            host = await reach(world, cluster, self.at)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        run = work.mark("copy").run
        for piece in (self._clear(run), self._copy(run)):
            trace = await settled(world, work, cluster, host, piece)
            if isinstance(trace, Unclear):
                return trace
        finding = await RestartEtcd.probe(self, world, work)
        if not isinstance(finding, Happened):
            return finding
        try:
            last = work.mark("copy").attempt
            copied = await self._copied(world, work, cluster, host, last)
        except InDoubt as error:
            return Unclear(str(error))
        return finding if copied else NotHappened()

    async def _meanwhile(self, world: World, work: Work, cluster: Cluster, host: Host) -> None:
        run = work.mark("copy").run
        try:
            # Where this attempt has stopped nothing, an earlier one's copy is as good.
            stop = await world.on_hosts.settle(cluster, host, work.mark("stop"))
            before = work.mark("copy").attempt - 1
            if isinstance(stop, NeverStarted) and await self._copied(
                world, work, cluster, host, before
            ):
                await work.say(f"its data lies in {copy_folder(run)} already")
                return
            if await holds(world, cluster, host, ("test", "-e", copy_folder(run))):
                await do(world, work, cluster, host, self._clear(run), finish=True)
            await do(world, work, cluster, host, self._copy(run), finish=True)
        except QuorumbotError as error:
            await work.say(f"{error} etcd is started again.")

    async def _copied(
        self, world: World, work: Work, cluster: Cluster, host: Host, last: int
    ) -> bool:
        """Tell whether the last attempt that touched the copy has made it. Raises InDoubt."""
        for attempt in range(last, 0, -1):
            marks = (replace(work.mark(name), attempt=attempt) for name in ("copy", "clear"))
            for mark in marks:
                trace = await world.on_hosts.settle(cluster, host, mark)
                if not isinstance(trace, NeverStarted):
                    return mark.name == "copy" and trace == Ended(0)
        return False

    def _clear(self, run: RunId) -> Piece:
        return Piece("clear", ("rm", "-r", copy_folder(run)))

    def _copy(self, run: RunId) -> Piece:
        argv = copy_argv(self.tool, layout(self.platform).data, copy_folder(run))
        return Piece("copy", argv, _LIMIT_MS, whole=True)
