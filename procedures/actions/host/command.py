"""A step that is one command on a host, and nothing else."""

import shlex

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, ended, reach
from procedures.engine.ports import Finding, Work, World
from procedures.model.host import At
from procedures.model.ids import ClusterName, RunId
from procedures.model.restoring import RUN


class Command:
    """One command on a host; a late duplicate is harmless: it runs once under its mark.

    Each kind is a frozen dataclass with these and other fields, and says which command it is.
    """

    __slots__ = ()

    cluster: ClusterName
    at: At

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._piece(RUN).argv)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    def _piece(self, run: RunId) -> Piece:
        """The command, in this run."""
        raise NotImplementedError

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Run it. Raises Permanent where it fails."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await do(world, work, cluster, host, self._piece(work.mark("mark").run))
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it came to its end."""
        piece = self._piece(work.mark("mark").run)
        return await ended(world, work, world.inventory.clusters[self.cluster], self.at, piece)
