"""Removing a member. (catalogue P48, P49, N5; rules R2, R5, R7, R9, R16)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.steady import WAITS, all_ids, ids_after, steady
from procedures.actions.etcd.target import condition, contact, same
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.observe import observe, observed
from procedures.etcd.same_data import surely_compared
from procedures.etcd.view import CORRUPT, Seen, View, overlooking
from procedures.model import quorum
from procedures.model.errors import Permanent, Refused
from procedures.model.ids import ClusterName
from procedures.model.member import Condition, Identity
from procedures.model.quorum import Ruling

_BETWEEN_READS_MS = 1_000


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Take one member, in the condition that was approved, out of the cluster for good.

    One that was approved as corrupt serves, and is proven once more to be the only one whose data
    is not that of most members; the alarm about it, which may name others, counts against nobody.
    With `despite_corrupt` that is so for one that is down, too: the others are proven to be equal.
    A late duplicate is harmless: an id that was removed never returns, so it can only fail.
    """

    KIND: ClassVar[str] = "etcd.remove-member/1"

    cluster: ClusterName
    member: Identity
    expect: Condition
    to_one: bool = False
    despite_corrupt: bool = False

    @property
    def command(self) -> str:
        """The exact API call, as etcdctl would make it."""
        return f"etcdctl member remove {self.member.id}"

    @property
    def waits(self) -> str | None:
        """As etcd lets one that works go only if all have been connected for a while."""
        return None if self.expect is Condition.FAILED else WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Remove it, after looking once more whether all is as approved."""
        view = await observed(self.cluster, world)
        if same(view, self.member) is None:
            await work.say(f"{self.member.shown} is not a member any more")
            return {"removed": self.member.id}
        ruling = self._allowed(view)
        if self.expect is not Condition.FAILED:
            view = await steady(self.cluster, self._ruling, world, work)
            ruling = self._allowed(view)
        view = self._seen(view)
        cluster = world.inventory.clusters[self.cluster]
        if self._overlooks:
            await self._proven(view, world, work)
        endpoint = contact(view, apart_from=self.member.id)
        await work.say(f"{ruling.because}; asking {endpoint}")
        await work.guard()
        await world.act.remove_member(cluster, endpoint, self.member.id)
        await self._check(view, world, work)
        return {"removed": self.member.id}

    def _there(self, view: View) -> Seen:
        seen = same(view, self.member)
        if seen is None:
            message = f"{self.member.shown} was taken out meanwhile, by somebody else (R7)."
            raise Permanent(message)
        return seen

    @property
    def _overlooks(self) -> bool:
        return self.despite_corrupt or self.expect is Condition.CORRUPT

    def _seen(self, view: View) -> View:
        return overlooking(view, CORRUPT) if self._overlooks else view

    async def _proven(self, view: View, world: World, work: Work) -> None:
        """R16 once more. Raises Refused."""
        cluster = world.inventory.clusters[self.cluster]
        found = await surely_compared(cluster, view, world)
        await work.say(f"hashes at revision {found.revision}: {found.said}")
        if self.expect is Condition.FAILED and found.odd():
            message = f"The data of the others differs (R16): {found.said}. Ask again."
            raise Refused(message)
        if self.expect is Condition.CORRUPT and found.odd() != (self.member.id,):
            message = (
                f"{self.member.shown} is not the one member whose data differs (R16): "
                f"{found.said}. Ask again, to have the plan made anew."
            )
            raise Refused(message)

    def _ruling(self, view: View) -> Ruling:
        view = self._seen(view)
        self._there(view)
        return quorum.may_remove(view.members, self.member.id, to_one=self.to_one)

    def _allowed(self, view: View) -> Ruling:
        """Raise Permanent or Refused unless all is as it was approved."""
        view = self._seen(view)
        found = condition(self._there(view))
        serves = self.expect is not Condition.FAILED
        if found is not (Condition.HEALTHY if serves else Condition.FAILED):
            message = (
                f"{self.member.shown} is {found} now, and was {self.expect} when its removal was "
                "approved. Ask again, to have the plan made anew."
            )
            raise Permanent(message)
        ruling = self._ruling(view)
        if not ruling.allowed:
            message = f"{ruling.because} ({ruling.rule})."
            raise Refused(message)
        if view.leader == self.member.id:
            message = (
                f"{self.member.shown} leads again (R9). Move leadership with /etcd move-leader, "
                "then resume."
            )
            raise Permanent(message)
        return ruling

    async def probe(self, world: World, work: Work) -> Finding:
        """Ask for the member list between two linearizable reads.

        As long as no such read succeeds, a removal that was sent may still be carried out: it
        waits in the leader's log for quorum.
        """
        cluster = world.inventory.clusters[self.cluster]
        for _ in range(2):
            view = await observe(cluster, world)
            if not (view.quorum_proven and view.listed):
                return Unclear(
                    f"No member of {self.cluster} has quorum behind it, so a removal of "
                    f"{self.member.shown} that was sent may still be carried out."
                )
            if all(seen.listed and seen.listed.id != self.member.id for seen in view.seen):
                return Happened({"removed": self.member.id})
            await work.rest(_BETWEEN_READS_MS)
        return NotHappened()

    async def _check(self, before: View, world: World, work: Work) -> None:
        """Afterwards: that id is gone, and every other is still there (R7)."""
        wanted = all_ids(before) - {self.member.id}
        _, found = await ids_after(self.cluster, all_ids, wanted, world, work)
        if found != wanted:
            message = (
                f"etcd confirmed the removal of {self.member.shown}, and its list has "
                f"{', '.join(sorted(found)) or 'nobody'} now. Look at the member list."
            )
            raise Permanent(message)
        await work.say(f"removed; {len(found)} members are left")
