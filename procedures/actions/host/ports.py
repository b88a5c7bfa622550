"""Making sure that machines reach each other where etcd listens. (catalogue P51, P55)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.ports import Tried, Way, each_tried, target
from procedures.model.errors import Permanent, Retryable
from procedures.model.ids import ClusterName


@dataclass(frozen=True, slots=True)
class CheckPorts:
    """Try connections from the machines that will make them.

    It changes nothing and sends nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "host.check-ports/1"

    cluster: ClusterName
    ways: tuple[Way, ...]

    @property
    def command(self) -> str:
        """Who connects where."""
        hosts = dict.fromkeys(way.at.host for way in self.ways)
        return "\n".join(f"{host}: connect to {', '.join(self._from(host))}" for host in hosts)

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Try all. Raises Permanent with those that are barred, and where something listens."""
        cluster = world.inventory.clusters[self.cluster]
        ats = {way.at for way in self.ways}
        hosts = {at: await reach(world, cluster, at) for at in sorted(ats, key=lambda at: at.host)}
        found = await each_tried(world, cluster, [(hosts[way.at], way) for way in self.ways])
        seen = [each for each in found if isinstance(each, Tried)]
        barred = [f"{each.way.shown} ({each.barred})" for each in seen if each.barred]
        taken = {target(each.way.address, each.way.port) for each in seen if each.taken}
        if barred:
            message = f"Nothing gets through from {', from '.join(barred)}."
            raise Permanent(message)
        if taken:
            message = f"Something listens at {' and '.join(sorted(taken))} already."
            raise Permanent(message)
        for each in found:
            if not isinstance(each, Tried):
                raise Retryable(each.message)
        await work.say(f"{len(seen)} of {len(seen)} connections get through")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply tried again."""
        return NotHappened()

    def _from(self, host: str) -> list[str]:
        return [target(way.address, way.port) for way in self.ways if way.at.host == host]
