"""Moving leadership away from a member. (catalogue N3; rule R9)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import same
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.observe import observe, observed
from procedures.etcd.view import Seen, View
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.quorum import Health

WAIT_S = 15
_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class EnsureNotLeader:
    """See to it that a member does not lead; whom it hands over to is chosen when it runs.

    The healthy voter that is furthest in the log takes over. A late duplicate is harmless: it
    only moves leadership away from that member again.
    """

    KIND: ClassVar[str] = "etcd.ensure-not-leader/1"

    cluster: ClusterName
    member: Identity

    @property
    def command(self) -> str:
        """The exact API call; it is made only where the member leads."""
        call = "etcdctl move-leader <the healthy voter that is furthest in the log>"
        return f"if {self.member.id} leads: {call}"

    @property
    def waits(self) -> str | None:
        """Until somebody else leads."""
        return f"until another member leads, at most {WAIT_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Move leadership if need be, and wait until another member has it."""
        view = await observed(self.cluster, world)
        leader = same(view, self.member)
        if view.leader is not None and (leader is None or view.leader != self.member.id):
            await work.say(f"{self.member.shown} does not lead")
            return None
        if leader is not None and view.leader == self.member.id:
            heir = _heir(view, self.member)
            assert leader.probe  # noqa: S101 (who leads was asked)
            assert heir.listed  # noqa: S101 (heirs are chosen among the listed)
            await work.say(f"asking {self.member.shown} to hand over to {heir.name}")
            await work.guard()
            cluster = world.inventory.clusters[self.cluster]
            await world.act.move_leader(cluster, leader.probe.endpoint, heir.listed.id)
        for _ in range(WAIT_S * 1_000 // _POLL_MS):
            view = await observe(world.inventory.clusters[self.cluster], world)
            if view.leader not in {None, self.member.id}:
                await work.say("another member leads now")
                return None
            await work.pause(_POLL_MS)
        message = f"{self.member.shown} still leads, or nobody does, after {WAIT_S} s (R9)."
        raise Permanent(message)

    async def probe(self, world: World, _work: Work) -> Finding:
        """Ask who leads."""
        view = await observe(world.inventory.clusters[self.cluster], world)
        if not view.quorum_proven:
            return Unclear(f"No member of {self.cluster} has quorum behind it: nobody leads.")
        leads = view.leader in {None, self.member.id}
        return NotHappened() if leads else Happened()


def _heir(view: View, leader: Identity) -> Seen:
    able = [
        seen
        for seen in view.voters
        if seen.listed and seen.listed.id != leader.id and seen.health is Health.HEALTHY
    ]
    if not able:
        message = f"No healthy voter is there to take over from {leader.shown} (R9)."
        raise Permanent(message)
    return max(able, key=lambda seen: seen.status.raft_applied_index if seen.status else 0)
