"""Getting a cluster out of NOSPACE: what fills it, compaction, the alarm. (catalogue N1; R15)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import contact
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.fragmentation import MIB
from procedures.etcd.observe import observe, observed
from procedures.etcd.quotas import quotas
from procedures.etcd.view import NOSPACE, View, overlooking
from procedures.model.errors import InDoubt, Permanent
from procedures.model.ids import ClusterName

COMPACT_LIMIT_S = 300
"""etcd drops some thousand versions in 10 ms; a cluster at its quota may hold millions."""

_BETWEEN_READS_MS = 1_000
_SOON_PERCENT = 75
_ADVICE = "Delete keys, or raise --quota-backend-bytes on each member"


@dataclass(frozen=True, slots=True)
class TellSpace:
    """Say of each member how large its file is, how much of it is in use, and what is allowed.

    Gives the size of each file in bytes, by id. It changes nothing, so that a duplicate is
    harmless.
    """

    KIND: ClassVar[str] = "etcd.tell-space/1"

    cluster: ClusterName

    @property
    def command(self) -> str:
        """What is asked."""
        return "etcdctl endpoint status, on each member by itself; its metrics for the quota"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Ask, and say it."""
        cluster = world.inventory.clusters[self.cluster]
        view = await observe(cluster, world)
        allowed = await quotas(cluster, view, world)
        full = {alarm.member_id for alarm in view.alarms if alarm.kind == NOSPACE}
        for seen, status in view.statuses():
            quota = allowed.get(status.member_id, 0)
            alarm = ", has raised NOSPACE" if status.member_id in full else ""
            await work.say(
                f"{seen.name}: {status.db_size / MIB:.1f} of {quota / MIB:,.1f} MiB "
                f"({status.db_size * 100 // max(quota, 1)} %), {status.db_size_in_use / MIB:.1f} "
                f"MiB in use with all old versions, revision {status.revision:,}{alarm}"
            )
        return {status.member_id: status.db_size for _, status in view.statuses()}

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()


@dataclass(frozen=True, slots=True)
class Compact:
    """Drop all versions of keys before the cluster's revision at the moment when it runs.

    A late duplicate is harmless: that revision has been compacted. Where no answer comes, the
    run goes on once there is quorum: the alarm is taken back only if there is space.
    """

    KIND: ClassVar[str] = "etcd.compact/1"

    cluster: ClusterName

    @property
    def command(self) -> str:
        """The exact API call, as etcdctl would make it."""
        return "etcdctl compaction --physical <the cluster's revision at that moment>"

    @property
    def waits(self) -> str | None:
        """For the call."""
        return f"until the old versions are dropped, at most {COMPACT_LIMIT_S // 60} min"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Compact at the newest revision that a member has told."""
        view = overlooking(await observed(self.cluster, world), NOSPACE)
        cluster = world.inventory.clusters[self.cluster]
        endpoint = contact(view)
        revision = max(status.revision for _, status in view.statuses())
        await work.say(f"dropping all versions before revision {revision:,}; asking {endpoint}")
        await work.guard()
        try:
            await world.act.compact(cluster, endpoint, revision, limit_ms=COMPACT_LIMIT_S * 1_000)
        except InDoubt as error:
            if not (await observe(cluster, world)).quorum_proven:
                raise
            await work.say(f"{error} Going on: what it gave shows in the end.")
            return None
        await work.say("dropped")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """With quorum it is done again, at a revision that is as new or newer."""
        for _ in range(2):
            if not (await observe(world.inventory.clusters[self.cluster], world)).quorum_proven:
                return Unclear(
                    f"No member of {self.cluster} has quorum behind it, so a compaction that was "
                    "sent may still be carried out."
                )
            await work.rest(_BETWEEN_READS_MS)
        return NotHappened()


@dataclass(frozen=True, slots=True)
class DisarmNospace:
    """Take each alarm NOSPACE back, if every member that answers has space below its quota.

    A late duplicate is harmless: etcd looks at the space before each write, and raises the alarm
    again where there is none.
    """

    KIND: ClassVar[str] = "etcd.disarm-nospace/1"

    cluster: ClusterName

    @property
    def command(self) -> str:
        """The exact API call, as etcdctl would make it."""
        return "if each file is below its quota: etcdctl alarm disarm, of NOSPACE only"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Disarm, and see that no alarm is left."""
        view = await observed(self.cluster, world)
        await self._require_space(view, world, work)
        cluster = world.inventory.clusters[self.cluster]
        endpoint = contact(overlooking(view, NOSPACE))
        for alarm in view.alarms:
            if alarm.kind == NOSPACE:
                await work.say(f"taking back NOSPACE of member {alarm.member_id}")
                await work.guard()
                await world.act.disarm(cluster, endpoint, alarm)
        if _on(await observed(self.cluster, world)):
            message = f"NOSPACE has been raised again on {self.cluster} meanwhile (R15). Resume."
            raise Permanent(message)
        await work.say("no alarm NOSPACE is on")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Ask for the alarms between two linearizable reads."""
        for _ in range(2):
            view = await observe(world.inventory.clusters[self.cluster], world)
            if not view.quorum_proven:
                return Unclear(
                    f"No member of {self.cluster} has quorum behind it, so the alarm may still be "
                    "taken back."
                )
            if not _on(view):
                return Happened()
            await work.rest(_BETWEEN_READS_MS)
        return NotHappened()

    async def _require_space(self, view: View, world: World, work: Work) -> None:
        """R15: an alarm that is taken back too early is only raised again."""
        allowed = await quotas(world.inventory.clusters[self.cluster], view, world)
        full = []
        for seen, status in view.statuses():
            quota = allowed[status.member_id]
            percent = status.db_size * 100 // quota
            found = f"{seen.name} has {status.db_size / MIB:.1f} of {quota / MIB:,.1f} MiB"
            if status.db_size >= quota:
                full.append(found)
            elif percent >= _SOON_PERCENT:
                await work.say(f"{found}, {percent} %: it is full again soon. {_ADVICE}.")
        if full:
            message = (
                f"Still no space: {'; '.join(full)} (R15). Old versions are not what fills it. "
                f"{_ADVICE}, then resume."
            )
            raise Permanent(message)


def _on(view: View) -> bool:
    return any(alarm.kind == NOSPACE for alarm in view.alarms)
