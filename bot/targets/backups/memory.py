"""Backups in memory, for tests: the same contract without disk, network and tools."""

import hashlib
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from bot.targets.backups.copies import Copies, MemoryShelf
from bot.targets.backups.drills import Records
from bot.targets.backups.intake import check_age, ended, proven
from bot.targets.backups.judging import MISSING, changed_length, difference, gone
from bot.targets.backups.naming import DATA, checked_cluster, checked_name, snapshot_name
from bot.targets.backups.tools import Reading, minor_of
from bot.targets.backups.trailer import Trailer
from procedures.engine.drills import Say
from procedures.engine.ports import Clock
from procedures.model.drill import Tried
from procedures.model.errors import Permanent, QuorumbotError
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.snapshot import ARCHIVE, Origin, Proof, Retention, Snapshot, expendable

_FAKE = re.compile(rb"fake snapshot: revision (\d+), (\d+) keys, compacted at (\d+)\n")
_PAGE = 4096


def fake_snapshot(revision: int, keys: int = 1, *, compacted: int = 0, pages: int = 2) -> bytes:
    """Make what `MemoryBackups` takes for a snapshot, with a right SHA-256 at its end."""
    head = f"fake snapshot: revision {revision}, {keys} keys, compacted at {compacted}\n".encode()
    data = head.ljust(pages * _PAGE, b".")
    return data + hashlib.sha256(data).digest()


@dataclass(slots=True)
class MemoryBackups:
    """Implements `procedures.engine.ports.Backups`; it reads what `fake_snapshot` makes.

    `stored` holds the snapshots of all clusters with their bytes, by name, for tests to look at
    and to spoil; `fault`, when set, is raised by every call. It knows the tools of `minors`.
    """

    clock: Clock
    minors: frozenset[str] = frozenset({"3.4", "3.5", "3.6"})
    stored: dict[str, tuple[Snapshot, bytes]] = field(default_factory=dict)
    fault: QuorumbotError | None = None
    copied: MemoryShelf = field(default_factory=MemoryShelf)

    @property
    def copies(self) -> Copies:
        """Copies of configurations."""
        return Copies(self.copied)

    @property
    def drills(self) -> "MemoryDrills":
        """Trying snapshots."""
        return MemoryDrills(self.copied, self)

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        """Store a snapshot while it streams."""
        async with ended(chunks):
            self._fail()
            checked_cluster(cluster.name)
            minor = minor_of(origin.version)
            if minor not in self.minors:
                message = f"Snapshots of etcd {minor} have to be read by a tool that is not there."
                raise Permanent(message)
            taken_at_ms, data, seen = self.clock.now_ms(), bytearray(), Trailer()
            async for chunk in chunks:
                seen.update(chunk)
                data += chunk
        if seen.fault:
            message = f"The snapshot from {origin.name} {seen.fault}."
            raise Permanent(message)
        reading, compacted = _read(bytes(data))
        check_age(origin, reading, compacted)
        return self._keep(cluster, origin, taken_at_ms, data=bytes(data), reading=reading, end=DATA)

    async def save_archive(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes], proof: Proof
    ) -> Snapshot:
        """Store an archive while it streams."""
        async with ended(chunks):
            self._fail()
            checked_cluster(cluster.name)
            taken_at_ms, data = self.clock.now_ms(), bytearray()
            async for chunk in chunks:
                data += chunk
        sha256 = hashlib.sha256(data).hexdigest()
        reading = proven(origin, len(data), sha256, proof)
        return self._keep(
            cluster, origin, taken_at_ms, data=bytes(data), reading=reading, end=ARCHIVE
        )

    def _keep(
        self,
        cluster: Cluster,
        origin: Origin,
        taken_at_ms: int,
        *,
        data: bytes,
        reading: Reading,
        end: str,
    ) -> Snapshot:
        sha256 = hashlib.sha256(data).hexdigest()
        snapshot = Snapshot(
            cluster=cluster.name,
            name=snapshot_name(cluster.name, taken_at_ms, reading.revision, sha256, end),
            taken_at_ms=taken_at_ms,
            size=len(data),
            sha256=sha256,
            hash=reading.hash,
            revision=reading.revision,
            total_keys=reading.total_keys,
            origin=origin,
        )
        return self.stored.setdefault(snapshot.name, (snapshot, data))[0]

    async def listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored snapshots of a cluster, the newest first."""
        return tuple(each for each in self._all(cluster) if not each.archive)

    async def archives(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored archives of a cluster, the newest first."""
        return tuple(each for each in self._all(cluster) if each.archive)

    def _all(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        self._fail()
        checked_cluster(cluster)
        found = (each for each, _ in self.stored.values() if each.cluster == cluster)
        return tuple(sorted(found, key=lambda each: (each.taken_at_ms, each.name), reverse=True))

    async def verify(self, snapshot: Snapshot) -> str | None:
        """Read a stored snapshot again."""
        self._fail()
        name = checked_name(snapshot)
        if name not in self.stored:
            return MISSING
        seen = Trailer()
        seen.update(self.stored[name][1])
        return difference(snapshot, seen)

    async def read(self, snapshot: Snapshot) -> AsyncGenerator[bytes, None]:
        """Stream a stored snapshot."""
        self._fail()
        name = checked_name(snapshot)
        if name not in self.stored:
            raise gone(snapshot)
        data = self.stored[name][1]
        for at in range(0, len(data), _PAGE):
            yield data[at : at + _PAGE]
        if len(data) != snapshot.size:
            raise changed_length(snapshot, len(data))

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:
        """Delete what retention does not keep."""
        intact = [
            each for each in self._all(cluster.name) if len(self.stored[each.name][1]) == each.size
        ]
        deleted = expendable(intact, retention, self.clock.now_ms())
        for snapshot in deleted:
            del self.stored[snapshot.name]
        return deleted

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


@dataclass(frozen=True, slots=True)
class MemoryDrills(Records):
    """Implements `procedures.engine.drills.Drills`; it tries what `fake_snapshot` makes."""

    backups: MemoryBackups

    async def fault(self, snapshot: Snapshot) -> str | None:
        """Tell whether it knows the tools."""
        minor = minor_of(snapshot.origin.version)
        known = minor in self.backups.minors
        return None if known else f"There is no etcd {minor} on this machine."

    async def carry_out(self, snapshot: Snapshot, token: str, say: Say) -> Tried:  # noqa: ARG002
        """Read it, and say what it says."""
        if found := await self.backups.verify(snapshot):
            message = f"{snapshot.name} {found}."
            raise Permanent(message)
        reading, compacted = _read(self.backups.stored[snapshot.name][1])
        reached = max(reading.revision, compacted, 1)
        await say("restored; etcd is started on it")
        return Tried(
            hash=reading.hash,
            revision=reading.revision,
            total_keys=reading.total_keys,
            reached=reached,
            served=reached,
            keys=reading.total_keys,
            hash_kv=snapshot.origin.hash_kv,
            version=snapshot.origin.version,
        )


def _read(data: bytes) -> tuple[Reading, int]:
    match = _FAKE.match(data)
    if match is None:
        message = "The tool cannot read the snapshot: invalid database."
        raise Permanent(message)
    revision, keys, compacted = (int(figure) for figure in match.groups())
    return Reading(f"{zlib.crc32(data):x}", revision, keys, len(data)), compacted
