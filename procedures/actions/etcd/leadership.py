"""Moving leadership: away from a member, or to one of some. (catalogue N3; rule R9)"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import same
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.observe import observe, observed
from procedures.etcd.view import CORRUPT, NOSPACE, Seen, View, overlooking
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberId
from procedures.model.inventory import Cluster
from procedures.model.member import Identity
from procedures.model.plan import Ref
from procedures.model.probe import Read
from procedures.model.quorum import Health

WAIT_S = 15
_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class EnsureNotLeader:
    """See to it that a member does not lead; whom it hands over to is chosen when it runs.

    That is `heir`, where it is a healthy voter, else the healthy voter that is furthest in the log.
    With `despite_corrupt` the alarm CORRUPT counts against nobody: a leader whose own data is bad
    raises it against the others (R16). A late duplicate is harmless: it only moves leadership away
    from that member again.
    """

    KIND: ClassVar[str] = "etcd.ensure-not-leader/1"

    cluster: ClusterName
    member: Identity
    despite_corrupt: bool = False
    heir: Identity | None = None

    @property
    def command(self) -> str:
        """The exact API call; it is made only where the member leads."""
        to = "<the healthy voter that is furthest in the log>"
        if self.heir is not None:
            to = f"{self.heir.id}, or, where that is not healthy, {to}"
        return f"if {self.member.id} leads: etcdctl move-leader {to}"

    @property
    def waits(self) -> str | None:
        """Until somebody else leads."""
        return f"until another member leads, at most {WAIT_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Move leadership if need be, and wait until another member has it."""
        view = await observed(self.cluster, world)
        if self.despite_corrupt:
            view = overlooking(view, CORRUPT)
        leader = same(view, self.member)
        if view.leader is not None and (leader is None or view.leader != self.member.id):
            await work.say(f"{self.member.shown} does not lead")
            return None
        cluster = world.inventory.clusters[self.cluster]
        if leader is not None and view.leader == self.member.id:
            await _hand_over(cluster, leader, _heir(view, self._wanted, self.heir), world, work)
        if await _waited(cluster, self._wanted, world, work):
            return None
        message = f"{self.member.shown} still leads, or nobody does, after {WAIT_S} s (R9)."
        raise Permanent(message)

    async def probe(self, world: World, _work: Work) -> Finding:
        """Ask who leads."""
        view = await observe(world.inventory.clusters[self.cluster], world)
        return _found(view, self.cluster, self._wanted)

    def _wanted(self, member: MemberId) -> bool:
        return member != self.member.id


@dataclass(frozen=True, slots=True)
class EnsureLeads:
    """See to it that one of some members leads; whoever leads now hands over.

    Of several, the healthy voter that is furthest in the log takes over. Health is a linearizable
    read through the member itself, so that one that takes over has caught up. With
    `despite_nospace` the alarm NOSPACE does not count against a member. A late duplicate is
    harmless: it only gives leadership to one of them again.
    """

    KIND: ClassVar[str] = "etcd.ensure-leads/1"

    cluster: ClusterName
    one_of: tuple[Identity | Ref, ...]
    despite_nospace: bool = False

    @property
    def command(self) -> str:
        """The exact API call; it is made only where none of them leads, and to the leader."""
        names = [str(each) if isinstance(each, Ref) else each.id for each in self.one_of]
        if len(names) == 1:
            return f"etcdctl move-leader {names[0]}, at the leader's own endpoint"
        call = "etcdctl move-leader <the healthy one that is furthest in the log>"
        return f"if none of {', '.join(names)} leads: {call}, at the leader's own endpoint"

    @property
    def waits(self) -> str | None:
        """Until one of them leads."""
        who = "it" if len(self.one_of) == 1 else "one of them"
        return f"until {who} leads, at most {WAIT_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Move leadership if need be, and wait until one of them has it."""
        view = await observed(self.cluster, world)
        if self.despite_nospace:
            view = overlooking(view, NOSPACE)
        for each in self._members:
            if same(view, each) is None:
                message = f"{each.shown} is not a member any more (R7)."
                raise Permanent(message)
        if self._wanted(view.leader):
            await work.say(f"{_name(view, view.leader)} leads already")
            return None
        cluster = world.inventory.clusters[self.cluster]
        leader = next((s for s in view.seen if s.listed and s.listed.id == view.leader), None)
        if leader is not None:
            await _hand_over(cluster, leader, _heir(view, self._wanted), world, work)
        if await _waited(cluster, self._wanted, world, work):
            return None
        names = " or ".join(each.shown for each in self._members)
        message = f"{names} does not lead after {WAIT_S} s (R9). Look at its health."
        raise Permanent(message)

    async def probe(self, world: World, _work: Work) -> Finding:
        """Ask who leads."""
        view = await observe(world.inventory.clusters[self.cluster], world)
        return _found(view, self.cluster, self._wanted)

    @property
    def _members(self) -> tuple[Identity, ...]:
        """All of them, once references stand for nothing any more: when it runs."""
        return tuple(each for each in self.one_of if isinstance(each, Identity))

    def _wanted(self, member: MemberId | None) -> bool:
        return any(each.id == member for each in self._members)


async def _hand_over(cluster: Cluster, leader: Seen, heir: Seen, world: World, work: Work) -> None:
    """Ask the leader, which alone can do it."""
    if leader.probe is None or not isinstance(leader.probe.read, Read):
        message = (
            f"{leader.name} leads and does not answer: {leader.why or 'it was not asked'} Only the "
            "leader hands leadership over (R9)."
        )
        raise Permanent(message)
    assert heir.listed  # noqa: S101 (heirs are chosen among the listed)
    await work.say(f"asking {leader.name} to hand over to {heir.name}")
    await work.guard()
    await world.act.move_leader(cluster, leader.probe.endpoint, heir.listed.id)


async def _waited(
    cluster: Cluster, wanted: Callable[[MemberId], bool], world: World, work: Work
) -> bool:
    """Wait until somebody who is wanted leads; tell whether it came to that."""
    for _ in range(WAIT_S * 1_000 // _POLL_MS):
        view = await observe(cluster, world)
        if view.leader is not None and wanted(view.leader):
            await work.say(f"{_name(view, view.leader)} leads now")
            return True
        await work.pause(_POLL_MS)
    return False


def _found(view: View, cluster: ClusterName, wanted: Callable[[MemberId], bool]) -> Finding:
    """A request to hand over waits in no log: it is over when it is not answered."""
    if not view.quorum_proven:
        return Unclear(f"No member of {cluster} has quorum behind it: nobody leads.")
    return Happened() if view.leader is not None and wanted(view.leader) else NotHappened()


def _heir(
    view: View, wanted: Callable[[MemberId], bool], preferred: Identity | None = None
) -> Seen:
    """Whoever is healthy serves linearizable reads, so has caught up. Raises Permanent."""
    able = [
        seen
        for seen in view.voters
        if seen.listed and wanted(seen.listed.id) and seen.health is Health.HEALTHY
    ]
    if not able:
        message = "No healthy voter is there to take leadership over (R9)."
        raise Permanent(message)
    for seen in able:
        if preferred is not None and seen.listed and seen.listed.id == preferred.id:
            return seen
    return max(able, key=lambda seen: seen.status.raft_applied_index if seen.status else 0)


def _name(view: View, member: MemberId | None) -> str:
    return next((each.name for each in view.members if each.id == member), str(member))
