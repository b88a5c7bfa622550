"""Taking the alarm CORRUPT back. (catalogue N5; rule R16)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.check_same_data import WAITS, require_equal
from procedures.actions.etcd.target import contact
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observed
from procedures.etcd.same_data import alarmed
from procedures.etcd.view import CORRUPT, overlooking
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName


@dataclass(frozen=True, slots=True)
class DisarmCorrupt:
    """Make sure that all members that are left hold the same data; then take the alarm back.

    An alarm outlives the member that it names, and refuses all writes as long as it is on. A late
    duplicate is harmless: it compares the data first, and an alarm that is off stays off.
    """

    KIND: ClassVar[str] = "etcd.disarm-corrupt/1"

    cluster: ClusterName

    @property
    def command(self) -> str:
        """The exact calls, as etcdctl would make them."""
        return (
            "etcdctl endpoint hashkv, on each member, at one revision; if all are equal: "
            "etcdctl alarm disarm, of CORRUPT only"
        )

    @property
    def waits(self) -> str | None:
        """Until all can be compared."""
        return WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Compare, disarm, and see that the alarm stays off. Raises Permanent where it does not."""
        await require_equal(self.cluster, world, work)
        cluster = world.inventory.clusters[self.cluster]
        view = overlooking(await observed(self.cluster, world), CORRUPT)
        for alarm in view.alarms:
            if alarm.kind == CORRUPT:
                await work.say(f"taking back CORRUPT of member {alarm.member_id}")
                await work.guard()
                await world.act.disarm(cluster, contact(view), alarm)
        if alarmed(await observed(self.cluster, world)):
            message = f"CORRUPT is on again on {self.cluster} (R16). Look at /etcd health."
            raise Permanent(message)
        await work.say("no alarm CORRUPT is on")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply done again."""
        return NotHappened()
