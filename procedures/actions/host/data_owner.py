"""Giving restored data the owner and label that etcd's data has. (catalogue P34)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, ended, reach
from procedures.engine.ports import Finding, Work, World
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.restoring import RUN, folder

_LIMIT_MS = 600_000


@dataclass(frozen=True, slots=True)
class OwnLikeData:
    """Give what was restored the owner of `like`: the old data, or the data folder itself.

    The tool gives it the mode that etcd does, 0700. A late duplicate is harmless: the command
    bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.own-like-data/1"

    cluster: ClusterName
    platform: Platform
    at: At
    like: str

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._piece(RUN).argv)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    def _piece(self, run: RunId) -> Piece:
        target = f"{folder(layout(self.platform).data, run)}/member"
        argv = ("chown", "--recursive", f"--reference={self.like}", target)
        return Piece("owner", argv, _LIMIT_MS)

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Do it."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await do(world, work, cluster, host, self._piece(work.mark("owner").run))
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it came to its end."""
        piece = self._piece(work.mark("owner").run)
        return await ended(world, work, world.inventory.clusters[self.cluster], self.at, piece)


@dataclass(frozen=True, slots=True)
class Relabel:
    """Give data in its place the SELinux labels of that place.

    A late duplicate is harmless: it sets what is set.
    """

    KIND: ClassVar[str] = "host.relabel/1"

    cluster: ClusterName
    platform: Platform
    at: At

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._piece.argv)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    @property
    def _piece(self) -> Piece:
        argv = ("restorecon", "-R", f"{layout(self.platform).data}/member")
        return Piece("label", argv, _LIMIT_MS)

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Do it."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await do(world, work, cluster, host, self._piece)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it came to its end."""
        cluster = world.inventory.clusters[self.cluster]
        return await ended(world, work, cluster, self.at, self._piece)
