"""Stopping etcd on a host of a cluster that is restored. (catalogue P34; rule R14; X14)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.check_lost import require_lost
from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import Service, begun
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.model.errors import InDoubt
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.platform import layout


@dataclass(frozen=True, slots=True)
class StopEtcd:
    """Stop etcd on a host, so that no boot starts it either, and wait until its process is gone.

    Unless the data is declared bad, it is refused when quorum has come back. A late duplicate is
    harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.stop-etcd/1"

    cluster: ClusterName
    platform: Platform
    at: At
    data_is_bad: bool = False

    @property
    def command(self) -> str:
        """The exact commands."""
        how = layout(self.platform)
        return f"{self.at.host}: {how.typed(how.retire)}"

    @property
    def waits(self) -> str | None:
        """Until it is gone."""
        return f"until no etcd runs, at most {layout(self.platform).stop_within_ms // 1_000} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Stop it. Raises Refused where quorum exists, InDoubt where it does not end."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        host = await reach(world, cluster, self.at)
        if not self.data_is_bad:
            await require_lost(world, cluster, host)
        etcd = Service(cluster, host, how)
        # A unit that fails and is started over and over has no process for most of the time.
        if how.armed is None or await etcd.armed(world):
            await etcd.prepare(world, work)
            await do(world, work, cluster, host, Piece("stop", how.retire))
        await etcd.stays_off(world)
        if not await etcd.ended(world, work):
            message = f"etcd still runs on {host.name} after {how.stop_within_ms // 1_000} s."
            raise InDoubt(message)
        await work.say(f"no etcd runs on {host.name}, and no boot starts it")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was told to go, and has gone."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        pieces = [Piece("stop", how.retire)]
        if how.before_stop:
            pieces.append(Piece("folder", how.before_stop))
        last = await begun(world, work, cluster, self.at, *pieces)
        if not isinstance(last, tuple):
            return last
        if last[1].name == "folder":
            return NotHappened()
        return await Service(cluster, last[0], how).found_off(world, work)
