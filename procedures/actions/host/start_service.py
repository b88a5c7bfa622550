"""Starting a service on a host, now and at each boot. (catalogue P01, P02)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, ended, reach
from procedures.engine.ports import Finding, Work, World
from procedures.model.host import At
from procedures.model.ids import ClusterName


@dataclass(frozen=True, slots=True)
class StartService:
    """Enable and start a systemd unit.

    A late duplicate is harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.start-service/1"

    cluster: ClusterName
    at: At
    unit: str

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
        return Piece("start", ("systemctl", "enable", "--now", self.unit))

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Start it."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await do(world, work, cluster, host, self._piece)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether the command came to its end."""
        cluster = world.inventory.clusters[self.cluster]
        return await ended(world, work, cluster, self.at, self._piece)
