"""Giving a learner a vote. (catalogue N4; rules R3, R5, R6, R7)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.steady import WAITS, all_ids, ids_after, steady, voter_ids
from procedures.actions.etcd.target import contact, same
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.observe import observe, observed
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import InDoubt, Permanent
from procedures.model.ids import ClusterName, MemberId
from procedures.model.member import Identity
from procedures.model.quorum import Ruling

_BETWEEN_READS_MS = 1_000


@dataclass(frozen=True, slots=True)
class PromoteMember:
    """Make a voter of a learner that has caught up.

    A late duplicate is harmless: a voter cannot be promoted, and an id that was removed never
    returns.
    """

    KIND: ClassVar[str] = "etcd.promote-member/1"

    cluster: ClusterName
    member: Identity

    @property
    def command(self) -> str:
        """The exact API call, as etcdctl would make it."""
        return f"etcdctl member promote {self.member.id}"

    @property
    def waits(self) -> str | None:
        """As etcd wants all to have been connected for a while."""
        return WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Promote it, after looking once more whether all is as approved."""
        view = await observed(self.cluster, world)
        seen = same(view, self.member)
        if seen is None:
            message = f"{self.member.shown} is not a member any more (R7)."
            raise Permanent(message)
        if seen.listed and not seen.listed.learner:
            await work.say(f"{self.member.shown} is a voter already")
            return None
        view = await steady(self.cluster, self._ruling, world, work)
        endpoint = contact(view)
        await work.say(f"{self._ruling(view).because}; asking {endpoint}")
        await work.guard()
        cluster = world.inventory.clusters[self.cluster]
        await world.act.promote_member(cluster, endpoint, self.member.id)
        wanted = all_ids(view)
        _, voting = await ids_after(self.cluster, voter_ids, wanted, world, work)
        if voting != wanted:
            message = (
                f"etcd confirmed the promotion of {self.member.shown}, and the voters are "
                f"{', '.join(sorted(voting))} now. Look at the member list."
            )
            raise InDoubt(message)
        await work.say(f"promoted; {len(voting)} members vote")
        return None

    def _ruling(self, view: View) -> Ruling:
        if same(view, self.member) is None:
            message = f"{self.member.shown} is not a member any more (R7)."
            raise Permanent(message)
        return promotable(view, self.member.id)

    async def probe(self, world: World, work: Work) -> Finding:
        """Ask for the member list between two linearizable reads."""
        for _ in range(2):
            view = await observe(world.inventory.clusters[self.cluster], world)
            if not (view.quorum_proven and view.listed):
                return Unclear(
                    f"No member of {self.cluster} has quorum behind it, so a promotion that was "
                    "sent may still be carried out."
                )
            if any(seen.listed and seen.listed.id == self.member.id for seen in view.voters):
                return Happened()
            await work.rest(_BETWEEN_READS_MS)
        return NotHappened()


def promotable(view: View, member: MemberId) -> Ruling:
    """R6, with how far the learner and the leader are in the log."""
    indices = {status.member_id: status.raft_index for _, status in view.statuses()}
    leader = indices.get(view.leader) if view.leader else None
    return quorum.may_promote(view.members, member, indices.get(member), leader)
