"""Putting restored data in the place of what was there; nothing is deleted. (P34; X16)

Only `member` is moved, inside the data folder: that folder may be a mount of its own.
"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, holds, reach
from procedures.actions.host.service import Service, begun
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.restoring import RUN, aside, folder


@dataclass(frozen=True, slots=True)
class _Move:
    """Give data another name in the same folder. No etcd may run.

    A late duplicate is harmless: the command runs once under its mark, and replaces nothing.
    """

    cluster: ClusterName
    platform: Platform
    at: At

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._argv(RUN))}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    def _paths(self, run: RunId) -> tuple[str, str]:
        """From where, to where."""
        raise NotImplementedError

    def _argv(self, run: RunId) -> tuple[str, ...]:
        return ("mv", "--no-clobber", "--no-target-directory", *self._paths(run))

    async def _moved(self, world: World, work: Work, *, needed: bool) -> bool:
        """Move it, if it is there. Raises Refused where an etcd runs."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        run = work.mark("move").run
        old, new = self._paths(run)
        if await Service(cluster, host, layout(self.platform)).runs(world):
            message = f"An etcd runs on {host.name}: data is not moved while it does."
            raise Refused(message)
        there = await holds(world, cluster, host, ("test", "-e", old))
        taken = await holds(world, cluster, host, ("test", "-e", new))
        if taken and there:
            message = f"{old} and {new} are both there on {host.name}. Look at them, and ask again."
            raise Permanent(message)
        if not there:
            if needed and not taken:
                message = f"{old} is not there on {host.name}."
                raise Permanent(message)
            return False
        await do(world, work, cluster, host, Piece("move", self._argv(run)))
        if await holds(world, cluster, host, ("test", "-e", old)):
            message = f"{old} on {host.name} was not moved: something is at {new}."
            raise Permanent(message)
        return True

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it lies in its new place."""
        cluster = world.inventory.clusters[self.cluster]
        old, new = self._paths(work.mark("move").run)
        piece = Piece("move", self._argv(work.mark("move").run))
        last = await begun(world, work, cluster, self.at, piece)
        if not isinstance(last, tuple):
            return last
        try:
            there = await holds(world, cluster, last[0], ("test", "-e", old))
            moved = await holds(world, cluster, last[0], ("test", "-e", new))
        except Retryable as error:
            return Unclear(str(error))
        return Happened() if moved and not there else NotHappened()


@dataclass(frozen=True, slots=True)
class SetDataAside(_Move):
    """Give a member's data another name, and keep it; there may be none."""

    KIND: ClassVar[str] = "host.set-data-aside/1"

    def _paths(self, run: RunId) -> tuple[str, str]:
        data = layout(self.platform).data
        return f"{data}/member", aside(data, run)

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Move it."""
        moved = await self._moved(world, work, needed=False)
        old, new = self._paths(work.mark("move").run)
        await work.say(f"{self.at.host}: {new} is kept" if moved else f"{self.at.host}: no {old}")
        return None


@dataclass(frozen=True, slots=True)
class PutDataInPlace(_Move):
    """Give restored data the name under which etcd looks for it."""

    KIND: ClassVar[str] = "host.put-data-in-place/1"

    def _paths(self, run: RunId) -> tuple[str, str]:
        data = layout(self.platform).data
        return f"{folder(data, run)}/member", f"{data}/member"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Move it. Raises Permanent where other data is there."""
        await self._moved(world, work, needed=True)
        return None
