"""Saving a verified snapshot. (catalogue P22; rule R12)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observe
from procedures.etcd.view import CORRUPT, NOSPACE, Seen, View, overlooking
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.member import Identity
from procedures.model.plan import Retries
from procedures.model.probe import HashKv, Status
from procedures.model.quorum import Health
from procedures.model.snapshot import Origin


@dataclass(frozen=True, slots=True)
class SaveSnapshot:
    """Stream a snapshot from one member into the place for backups, and verify it.

    From the healthy voter with the newest data, not the leader where there is a choice; which one
    is chosen when it runs. `not_from` is never asked. NOSPACE counts against nobody: what is there
    is whole, and a snapshot comes before anything else is done about it (R15). With
    `despite_corrupt` CORRUPT counts against nobody either: hashes have told whose data is bad, and
    that one is `not_from` (R16). With `without_quorum` a sole survivor will do, and the backup is
    marked so. A duplicate is harmless: it is one more backup. So it is tried again where the stream
    broke, or the place is out of reach, full or in use for the moment.
    """

    KIND: ClassVar[str] = "etcd.save-snapshot/1"
    RETRIES: ClassVar[Retries] = Retries(times=3, wait_ms=10_000)

    cluster: ClusterName
    not_from: Identity | None = None
    without_quorum: bool = False
    despite_corrupt: bool = False

    @property
    def command(self) -> str:
        """The exact calls."""
        return (
            "etcdctl snapshot save, from the healthy voter with the newest data; "
            "then size, SHA-256 and snapshot status are checked"
        )

    @property
    def waits(self) -> str | None:
        """Before it is tried again."""
        return (
            f"{self.RETRIES.wait_ms // 1_000} s before it is tried again, {self.RETRIES.times} "
            "times in all, where the stream or the place for backups fails for the moment"
        )

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Save and verify. Raises Permanent for a snapshot that is not whole."""
        if world.backups is None:
            message = "No place for backups is configured. Set `backups` in the configuration."
            raise Permanent(message)
        cluster = world.inventory.clusters[self.cluster]
        view = overlooking(await observe(cluster, world), NOSPACE)
        if self.despite_corrupt:
            view = overlooking(view, CORRUPT)
        if not view.quorum_proven and not self.without_quorum:
            message = (
                f"{self.cluster} has no quorum, so a snapshot may lack what was written (R12)."
            )
            raise Permanent(message)
        source = self._source(view)
        status = source.status
        assert status is not None and source.probe is not None  # noqa: S101, PT018 (chosen by it)
        origin = Origin(
            member=status.member_id,
            name=source.name,
            version=status.version,
            revision=status.revision,
            quorum=view.quorum_proven,
            db_size=status.db_size,
            hash_kv=await self._hash(world, cluster, source.probe.endpoint, status),
        )
        await work.say(f"streaming from {source.name}, revision {origin.revision}")
        await work.guard()
        saved = await world.backups.save(
            cluster, origin, world.act.snapshot(cluster, source.probe.endpoint)
        )
        await work.say(
            f"verified: {saved.name}, {saved.size} bytes, {saved.total_keys} keys, "
            f"revision {saved.revision}, SHA-256 {saved.sha256}"
        )
        return {"name": saved.name, "sha256": saved.sha256, "revision": saved.revision}

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply taken again: what was cut off is not kept."""
        return NotHappened()

    async def _hash(
        self, world: World, cluster: Cluster, endpoint: str, status: Status
    ) -> HashKv | None:
        """The hash of what is saved, for a drill to compare; it reads all keys of the member."""
        if status.db_size > cluster.hash_up_to_bytes:
            return None
        found = (await world.etcd.hashes(cluster, [endpoint], status.revision)).get(endpoint)
        return found if isinstance(found, HashKv) else None

    def _source(self, view: View) -> Seen:
        """R12: one healthy voter with the newest revision seen."""
        left_out = self.not_from.id if self.not_from else None
        able = [
            seen
            for seen in view.voters
            if seen.status is not None
            and (seen.listed is None or seen.listed.id != left_out)
            and (seen.health is Health.HEALTHY or self.without_quorum)
        ]
        if not able:
            message = f"No member of {self.cluster} is fit to give a snapshot (R12)."
            raise Permanent(message)
        return max(
            able,
            key=lambda seen: (
                seen.status.revision if seen.status else 0,
                bool(seen.status and seen.status.member_id != view.leader),
            ),
        )
