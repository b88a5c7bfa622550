"""Snapshots in a bucket of an S3-compatible store."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

from bot.targets.backups.bucket import Bucket, Place
from bot.targets.backups.copies import BucketShelf, Copies
from bot.targets.backups.disk_errors import disk_errors
from bot.targets.backups.drills import TriedHere
from bot.targets.backups.intake import Intake, Received, ended
from bot.targets.backups.judging import (
    BLOCK,
    MISSING,
    RECORD_MISSING,
    changed_length,
    difference,
    gone,
)
from bot.targets.backups.lane import in_thread, stepwise
from bot.targets.backups.naming import (
    RECORD_LIMIT,
    checked_cluster,
    checked_name,
    from_record,
    is_name,
    record_name,
    to_record,
)
from bot.targets.backups.spool import Spool
from bot.targets.backups.tools import Tools
from bot.targets.backups.trailer import Trailer
from bot.targets.backups.trial import SCRATCH_ROOT, Trial
from procedures.engine.ports import Clock
from procedures.model.errors import QuorumbotError, Retryable
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.snapshot import Origin, Proof, Retention, Snapshot, expendable

PART_SIZE = 16 * 1024**2
"""Snapshots that are larger are sent in parts of this size, one of them in memory at a time."""

_AT_ONCE = 8
_log = logging.getLogger(__name__)


class S3Backups:
    """Implements `procedures.engine.ports.Backups` below `prefix/CLUSTER/` of a bucket.

    A snapshot is written to a private directory below `spool` and verified there before any of it
    is sent. It is a pair of objects, the data and its record; the record is stored last, and what
    has none is not listed. A process that is killed while it sends leaves nothing that is listed,
    but may leave parts of an upload, or data without a record, which nobody deletes: rather that
    than a good backup that has lost its record.

    One rotation at a time runs in a process. Those of other processes cannot harm: what one
    deletes makes nothing else expendable (`expendable`), and no name is ever used again.
    """

    def __init__(
        self,
        place: Place,
        prefix: str,
        spool: Path,
        tools: Tools,
        clock: Clock,
        *,
        part_size: int = PART_SIZE,
        scratch: Path = SCRATCH_ROOT,
    ) -> None:
        self._bucket = Bucket(place, part_size)
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        shelf = BucketShelf(self._bucket, self._prefix)
        self.copies = Copies(shelf)
        self.drills = TriedHere(shelf, Trial(tools, scratch), self.read)
        self._spool = spool
        self._intake = Intake(tools, clock)
        self._clock = clock
        self._rotating = asyncio.Lock()

    def close(self) -> None:
        """Close connections."""
        self._bucket.close()

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        """Store a snapshot after it has streamed to this machine."""
        return await self._take(cluster, origin, chunks)

    async def save_archive(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes], proof: Proof
    ) -> Snapshot:
        """Store an archive after it has streamed to this machine."""
        return await self._take(cluster, origin, chunks, proof)

    async def _take(
        self,
        cluster: Cluster,
        origin: Origin,
        chunks: AsyncIterator[bytes],
        proof: Proof | None = None,
    ) -> Snapshot:
        checked_cluster(cluster.name)
        spool = Spool(self._spool, f"quorumbot-{os.geteuid()}", origin.db_size)
        async with (
            ended(chunks),
            self._intake.receive(spool, cluster, origin, chunks, proof) as received,
        ):
            return await received.lane.do(self._send, received)

    async def listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored snapshots of a cluster, the newest first."""
        pairs = await in_thread(lambda _: self._pairs(cluster))
        return tuple(found for found, _ in pairs if not found.archive)

    async def archives(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored archives of a cluster, the newest first."""
        pairs = await in_thread(lambda _: self._pairs(cluster))
        return tuple(found for found, _ in pairs if found.archive)

    async def verify(self, snapshot: Snapshot) -> str | None:
        """Read a stored snapshot again, all of it, over the network."""
        return await in_thread(lambda gone: self._verify(snapshot, gone))

    def read(self, snapshot: Snapshot) -> AsyncGenerator[bytes, None]:
        """Stream a stored snapshot, over the network."""
        return stepwise(lambda: self._blocks(snapshot))

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:
        """Delete what retention does not keep."""
        now_ms = self._clock.now_ms()
        async with self._rotating:
            return await in_thread(lambda gone: self._rotate(cluster.name, retention, now_ms, gone))

    def _key(self, cluster: ClusterName, name: str) -> str:
        return f"{self._prefix}{checked_cluster(cluster)}/{name}"

    def _send(self, received: Received) -> Snapshot:
        snapshot, spool = received.snapshot, received.spool
        key = self._key(snapshot.cluster, snapshot.name)
        record = self._key(snapshot.cluster, record_name(snapshot.name))
        with disk_errors(spool.folder.path):
            file = os.fdopen(spool.folder.read(spool.scratch), "rb")
        with file:
            ours = self._bucket.put_file(key, file, snapshot.size, received.lane.stopping)
        if not ours:  # saved twice within one second
            stored = self._record(snapshot.cluster, snapshot.name)
            if stored is not None and stored.sha256 == snapshot.sha256:
                return stored
        try:
            self._bucket.put(record, to_record(snapshot))
        except QuorumbotError:
            if ours:
                with suppress(QuorumbotError):
                    self._bucket.delete(record)
                    self._bucket.delete(key)
            raise
        if not ours and self._bucket.sizes(key).get(key) != snapshot.size:
            message = f"Another process gave up {snapshot.name} meanwhile: take another snapshot."
            raise Retryable(message)
        return snapshot

    def _pairs(self, cluster: ClusterName) -> list[tuple[Snapshot, int]]:
        """The snapshots with the size of what lies there, the newest first."""
        prefix = self._key(cluster, "")
        sizes = self._bucket.sizes(prefix)
        keys = (key.removeprefix(prefix) for key in sizes)
        names = [name for name in keys if is_name(cluster, name)]
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            records = list(pool.map(lambda name: self._record(cluster, name), names))
        finally:
            pool.shutdown(cancel_futures=True)
        found = []
        for name, snapshot in zip(names, records, strict=True):
            if snapshot is None:
                _log.warning("%s has no record that belongs to it", prefix + name)
            else:
                found.append((snapshot, sizes[prefix + name]))
        return sorted(found, key=lambda pair: (pair[0].taken_at_ms, pair[0].name), reverse=True)

    def _record(self, cluster: ClusterName, name: str) -> Snapshot | None:
        blocks = self._bucket.get(self._key(cluster, record_name(name)), RECORD_LIMIT)
        if blocks is None:
            return None
        with closing(blocks):
            return from_record(cluster, name, next(blocks, b""))

    def _verify(self, snapshot: Snapshot, gone: threading.Event) -> str | None:
        name = checked_name(snapshot)
        blocks = self._bucket.get(self._key(snapshot.cluster, name), BLOCK)
        if blocks is None:
            return MISSING
        seen = Trailer()
        with closing(blocks):
            for block in blocks:
                seen.update(block)
                if gone.is_set():
                    break
        if found := difference(snapshot, seen):
            return found
        recorded = self._record(snapshot.cluster, name)
        return None if recorded and recorded.sha256 == snapshot.sha256 else RECORD_MISSING

    def _blocks(self, snapshot: Snapshot) -> Generator[bytes, None, None]:
        size = 0
        blocks = self._bucket.get(self._key(snapshot.cluster, checked_name(snapshot)), BLOCK)
        if blocks is None:
            raise gone(snapshot)
        with closing(blocks):
            for block in blocks:
                size += len(block)
                yield block
        if size != snapshot.size:
            raise changed_length(snapshot, size)

    def _rotate(
        self, cluster: ClusterName, retention: Retention, now_ms: int, gone: threading.Event
    ) -> tuple[Snapshot, ...]:
        # One of another size is no backup: it must not stand for its day.
        intact = [found for found, size in self._pairs(cluster) if size == found.size]
        deleted = []
        for snapshot in expendable(intact, retention, now_ms):
            if gone.is_set():
                break
            self._bucket.delete(self._key(cluster, snapshot.name))
            self._bucket.delete(self._key(cluster, record_name(snapshot.name)))
            deleted.append(snapshot)
        return tuple(deleted)
