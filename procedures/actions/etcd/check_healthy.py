"""Making sure that a cluster is healthy. (catalogue P07; rule R1)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import contact, same
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observe
from procedures.model import quorum
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.quorum import Health

WAIT_S = 60
_POLL_MS = 250
_COPIED_PER_S = 8 * 1024**2
"""How many bytes a newcomer gets from the leader and writes in a second, where that is slow."""

LAG_ENTRIES = 1_000
"""A member that is further behind in the log than this has not caught up."""


@dataclass(frozen=True, slots=True)
class CheckHealthy:
    """Wait until every member that is left serves and has no alarm, `despite` those named.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "etcd.check-healthy/1"

    cluster: ClusterName
    without: Identity | None = None
    despite: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What is asked."""
        return "etcdctl endpoint health, on each member by itself; etcdctl alarm list"

    @property
    def waits(self) -> str | None:
        """Until all are healthy."""
        but = f" but {' and '.join(self.despite)}" if self.despite else ""
        return f"until all members{but} are healthy, at most {WAIT_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait; raises Permanent with who is not healthy, and why."""
        cluster = world.inventory.clusters[self.cluster]
        said = ""
        for _ in range(WAIT_S * 1_000 // _POLL_MS):
            view = await observe(cluster, world)
            ids = {seen.listed.id for seen in view.seen if seen.listed}
            back = self.without is not None and self.without.id in ids
            unfit = [
                seen
                for seen in view.seen
                if seen.health is not Health.HEALTHY and seen.name not in self.despite
            ]
            if view.listed and view.quorum_proven and not unfit and not back:
                well = sum(seen.health is Health.HEALTHY for seen in view.seen)
                await work.say(
                    f"{well} of {len(view.seen)} members are healthy, "
                    f"tolerance {quorum.tolerance(view.members)}"
                )
                return None
            now = "; ".join(f"{seen.name}: {seen.why}" for seen in unfit) or "no quorum is proven"
            if now != said:
                await work.say(f"waiting: {now}")
                said = now
            await work.pause(_POLL_MS)
        message = f"{self.cluster} is not healthy after {WAIT_S} s: {said}"
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()


@dataclass(frozen=True, slots=True)
class WriteAndRead:
    """Write a key of Quorumbot's own, read it back, delete it: the cluster takes writes.

    A duplicate is harmless: the key is Quorumbot's own.
    """

    KIND: ClassVar[str] = "etcd.write-and-read/1"

    cluster: ClusterName

    @property
    def command(self) -> str:
        """The exact calls."""
        return "etcdctl put (with a lease of 60 s), get and del of a key below /quorumbot/canary/"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Write, read, compare, delete."""
        cluster = world.inventory.clusters[self.cluster]
        endpoint = contact(await observe(cluster, world))
        await work.guard()
        await world.act.write_and_read(cluster, endpoint, "quorumbot")
        await work.say(f"wrote, read and deleted a key through {endpoint}")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply done again."""
        return NotHappened()


@dataclass(frozen=True, slots=True)
class CheckMember:
    """Wait until one member serves, has no alarm, and has caught up with the others (R10).

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "etcd.check-member/1"

    cluster: ClusterName
    member: Identity

    @property
    def command(self) -> str:
        """What is asked."""
        return f"etcdctl endpoint health and endpoint status, on {self.member.name} by itself"

    @property
    def waits(self) -> str | None:
        """Until it is healthy and has caught up."""
        return (
            f"until it is healthy and at most {LAG_ENTRIES} log entries behind, at most {WAIT_S} s "
            f"and one more for each {_COPIED_PER_S // 1024**2} MiB of data"
        )

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait; raises Permanent with what is wrong with it."""
        cluster = world.inventory.clusters[self.cluster]
        said, waited_ms, limit_ms = "", 0, WAIT_S * 1_000
        while waited_ms < limit_ms:
            view = await observe(cluster, world)
            size = max((each.db_size for _, each in view.statuses()), default=0)
            limit_ms = max(limit_ms, (WAIT_S + size // _COPIED_PER_S) * 1_000)
            seen = same(view, self.member) if view.listed else None
            newest = max((each.raft_applied_index for _, each in view.statuses()), default=0)
            if seen is None:
                now = "no member list has it"
            elif seen.health is not Health.HEALTHY or seen.status is None:
                now = seen.why or "it told no status"
            elif (behind := newest - seen.status.raft_applied_index) > LAG_ENTRIES:
                now = f"it is {behind} log entries behind"
            else:
                await work.say(f"{seen.name} is healthy and has caught up")
                return None
            if now != said:
                await work.say(f"waiting: {now}")
                said = now
            await work.pause(_POLL_MS)
            waited_ms += _POLL_MS
        message = f"{self.member.shown} is not healthy after {limit_ms // 1_000} s: {said}"
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()
