"""Giving the free pages of a member's data file back. (catalogue N1, N2; rules R9, R11, R15)"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import same
from procedures.engine.ports import Finding, NotHappened, Unclear, Work, World
from procedures.etcd.fragmentation import MIB, Worth, figures, pays
from procedures.etcd.observe import observe, observed
from procedures.etcd.view import NOSPACE, Seen, View, overlooking
from procedures.model import quorum
from procedures.model.errors import InDoubt, Permanent, Refused
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.plan import Ref
from procedures.model.probe import Status
from procedures.model.quorum import Health

LIMIT_S = 600
"""For one call. A member has been seen to need 40 s; it copies what is in use, 8 GiB at most by
etcd's own advice, and a slow disk does 20 MiB in a second."""

BACK_S = 60
SETTLE_S = 10
"""So long all members have to be healthy, before the next one's turn."""

DROPPING_S = 300
"""So long a member may still be dropping old versions in the background: after a compaction it
needs 1 s for 100,000 of them, and more on a slow disk."""

_POLL_MS = 1_000
_STEADY_READS = 2


@dataclass(frozen=True, slots=True)
class Defragment:
    """Defragment the next of some members: in this order, but the one that leads comes last.

    It serves nobody meanwhile, so all others must be healthy right before, and all of them for a
    while after. Pages that a compaction frees later would need another turn, so that it first
    waits while the member still drops old versions. A member of which there is little to win is
    passed over, with a word. `sizes` is for a cluster without space: the size of each file in
    bytes, by id, before the first one was defragmented. There NOSPACE counts against nobody, and
    a file that is smaller than it was has been done: what is in use is no measure, as etcd
    notices free pages with the next write only.

    Gives the identity of the member. A late duplicate is harmless: it changes no data, and finds
    a file without free pages, for whose copying that member is away once more.
    """

    KIND: ClassVar[str] = "etcd.defragment/1"

    cluster: ClusterName
    one_of: tuple[Identity, ...]
    done: tuple[Identity | Ref, ...] = ()
    worth: Worth = Worth.MUCH
    sizes: Mapping[str, int] | Ref | None = None

    @property
    def command(self) -> str:
        """The exact API call, and when it is not made."""
        names = ", ".join(each.id for each in self.one_of)
        who = f"the endpoint of {names}"
        if len(self.one_of) > 1:
            apart = f", apart from {' and '.join(map(str, self.done))}" if self.done else ""
            who = f"the endpoint of the first of {names} that does not lead{apart}"
            if len(self.done) == len(self.one_of) - 1:
                who = f"the endpoint of the last of {names}{apart}"
        unless = f"its file is smaller than {self.sizes}" if self.sizes else self.worth.shown
        return f"etcdctl defrag, at {who}, unless {unless}"

    @property
    def waits(self) -> str | None:
        """For the call, and for health."""
        return (
            f"while it still drops old versions, at most {DROPPING_S // 60} min; for the call, "
            f"at most {LIMIT_S // 60} min; then until all that were healthy before "
            f"have been so for {SETTLE_S} s, at most {BACK_S + SETTLE_S} s"
        )

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Defragment one, and wait until all is as before."""
        view = await self._dropped(world, work)
        target, who = self._next(view)
        status, probe = who.status, who.probe
        self._check(view, target)
        assert status is not None and probe is not None  # noqa: S101, PT018 (it is healthy)
        if not self._pays(target, status):
            await work.say(f"{target.shown}: little to win, {figures(status)}")
            return plain_identity(target)
        cluster = world.inventory.clusters[self.cluster]
        await work.say(f"{target.shown}: {figures(status)}; defragmenting it")
        await work.guard()
        lost: InDoubt | None = None
        try:
            await world.act.defragment(cluster, probe.endpoint, limit_ms=LIMIT_S * 1_000)
        except InDoubt as error:
            await work.say(f"{error} Waiting until it serves again.")
            lost = error
        after = await self._back(view, target, LIMIT_S if lost else BACK_S, world, work)
        if after.revision < status.revision:
            message = (
                f"{target.shown} came back with revision {after.revision:,}, and had "
                f"{status.revision:,} before (R11). Remove it and add it anew, before all else."
            )
            raise Permanent(message)
        if lost and after.db_size >= status.db_size and self._pays(target, after):
            message = f"{target.shown} was not defragmented: {lost} Resume to try again."
            raise Permanent(message)
        shrunk = f"{status.db_size / MIB:.1f} MiB to {after.db_size / MIB:.1f} MiB"
        await work.say(f"{target.shown}: from {shrunk}")
        return plain_identity(target)

    async def probe(self, world: World, work: Work) -> Finding:
        """Make sure that no member is at it any more; one that is done is passed over then.

        While a member serves reads it is not at it, and no call waits in a log.
        """
        why, until = "", world.clock.now_ms() + LIMIT_S * 1_000
        while world.clock.now_ms() < until:
            if not (why := self._busy(await self._view(world))):
                await work.rest(_POLL_MS)
                if not (why := self._busy(await self._view(world))):
                    return NotHappened()
            await work.rest(_POLL_MS)
        return Unclear(f"{why} It may still be at its data file.")

    async def _view(self, world: World) -> View:
        view = await observed(self.cluster, world)
        return overlooking(view, NOSPACE) if self.sizes is not None else view

    async def _dropped(self, world: World, work: Work) -> View:
        """Wait until the next member has no old versions left to drop; gives what it then saw.

        A member compacts by itself, after the one that was asked; nothing but the pages in use
        shows it. They fall with each batch, of which there are ten and more in a second.
        """
        view = await self._view(world)
        until = world.clock.now_ms() + DROPPING_S * 1_000
        steady, said = 0, False
        while steady < _STEADY_READS and world.clock.now_ms() < until:
            target, before = self._next(view)
            await work.pause(_POLL_MS)
            view = await self._view(world)
            after = same(view, target)
            if not (before.status and after and after.status):
                return view
            falls = after.status.db_size_in_use < before.status.db_size_in_use
            steady = 0 if falls else steady + 1
            if falls and not said:
                await work.say(f"{target.shown} still drops old versions; waiting until it is done")
                said = True
        return view

    def _next(self, view: View) -> tuple[Identity, Seen]:
        """R9, R10: followers in the order that was approved, the leader last."""
        done = {each.id for each in self.done if isinstance(each, Identity)}
        left = [each for each in self.one_of if each.id not in done]
        target = min(left, key=lambda each: each.id == view.leader)
        seen = same(view, target)
        if seen is None:
            message = f"{target.shown} is not a member any more (R7). Ask again."
            raise Permanent(message)
        return target, seen

    def _check(self, view: View, target: Identity) -> None:
        without_space = self.sizes is not None
        ruling = quorum.may_defragment(view.members, target.id, writes_refused=without_space)
        if not ruling.allowed:
            message = f"{ruling.because} ({ruling.rule}). Look at the cluster's health, and resume."
            raise Refused(message)
        if view.leader == target.id and len(view.voters) > 1 and quorum.healthy(view.members) > 1:
            message = f"{target.shown} leads (R9). Resume, once leadership has moved."
            raise Permanent(message)

    def _pays(self, target: Identity, status: Status) -> bool:
        if isinstance(self.sizes, Mapping):
            return status.db_size >= self.sizes.get(target.id, 0)
        return pays(status, self.worth)

    async def _back(
        self, before: View, target: Identity, limit_s: int, world: World, work: Work
    ) -> Status:
        """Wait until all that were healthy have been so for a while; gives the member's status."""
        wanted = {each.id for each in before.members if each.health is Health.HEALTHY}
        cluster = world.inventory.clusters[self.cluster]
        said, calm_since = "", None
        until = world.clock.now_ms() + (limit_s + SETTLE_S) * 1_000
        while (now_ms := world.clock.now_ms()) < until:
            view = await observe(cluster, world)
            view = overlooking(view, NOSPACE) if self.sizes is not None else view
            healthy = {each.id for each in view.members if each.health is Health.HEALTHY}
            calm = wanted <= healthy and view.quorum_proven
            calm_since = (calm_since or now_ms) if calm else None
            if calm_since is not None and now_ms - calm_since >= SETTLE_S * 1_000:
                return next(
                    status for _, status in view.statuses() if status.member_id == target.id
                )
            unfit = [seen for seen in view.seen if seen.health is not Health.HEALTHY]
            now = "; ".join(f"{seen.name}: {seen.why}" for seen in unfit)
            if not calm and now != said:
                await work.say(f"waiting: {now}")
                said = now
            await work.pause(_POLL_MS)
        message = f"{self.cluster} is not healthy {limit_s} s after {target.shown}: {said}"
        raise Permanent(message)

    def _busy(self, view: View) -> str:
        """Why nobody can be sure that all of them serve."""
        ids = {each.id for each in self.one_of}
        unfit = [
            f"{seen.name}: {seen.why}"
            for seen in view.seen
            if seen.listed and seen.listed.id in ids and seen.health is not Health.HEALTHY
        ]
        return "; ".join(unfit)


def plain_identity(member: Identity) -> JsonValue:
    """An identity as the result of a step."""
    return {"id": member.id, "name": member.name, "peer_urls": list(member.peer_urls)}
