"""Making sure that quorum is still lost, before anything is stopped for a restore. (P34; R14)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, Look, NotHappened, Work, World
from procedures.etcd.loss import back
from procedures.model.errors import Refused
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host


@dataclass(frozen=True, slots=True)
class CheckLost:
    """Ask all members for a linearizable read, from here and from one of their hosts.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "etcd.check-lost/1"

    cluster: ClusterName
    at: At

    @property
    def command(self) -> str:
        """What is asked."""
        return f"etcdctl endpoint health, from here and on {self.at.host}: nobody may be healthy"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Ask. Raises Refused where quorum exists."""
        cluster = world.inventory.clusters[self.cluster]
        await require_lost(world, cluster, await reach(world, cluster, self.at))
        await work.say("nobody serves a linearizable read")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()


async def require_lost(look: Look, cluster: Cluster, host: Host) -> None:
    """R14 once more. Raises Refused where quorum has come back."""
    if who := await back(look, cluster, host):
        message = (
            f"{cluster.name} has quorum again: {who} (R14). This run goes no further. What it has "
            "stopped, API servers too, stays off: start it, by the undo of each of these steps."
        )
        raise Refused(message)
