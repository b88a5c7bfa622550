"""Snapshots in a directory of this machine, or of one that is mounted here."""

import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.targets.backups.copies import Copies, LocalShelf
from bot.targets.backups.disk_errors import disk_errors
from bot.targets.backups.drills import TriedHere
from bot.targets.backups.folder import Folder
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
    RECORD,
    RECORD_LIMIT,
    checked_cluster,
    checked_name,
    data_name,
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
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.snapshot import Origin, Proof, Retention, Snapshot, expendable

_log = logging.getLogger(__name__)


class LocalBackups:
    """Implements `procedures.engine.ports.Backups` in `directory/CLUSTER`.

    A snapshot is a pair of files, the data and its record. The record gets its name first and
    loses it last, each change of a name is on the disk before the next one, and both are made
    under the cluster's lock: so at every instant what has the name of data is a whole snapshot.
    Several processes may share the directory, also over NFS where it has locks.
    """

    def __init__(
        self, directory: Path, tools: Tools, clock: Clock, scratch: Path = SCRATCH_ROOT
    ) -> None:
        shelf = LocalShelf(directory)
        self.copies = Copies(shelf)
        self.drills = TriedHere(shelf, Trial(tools, scratch), self.read)
        self._directory = directory
        self._intake = Intake(tools, clock)
        self._clock = clock

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        """Store a snapshot while it streams."""
        return await self._take(cluster, origin, chunks)

    async def save_archive(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes], proof: Proof
    ) -> Snapshot:
        """Store an archive while it streams."""
        return await self._take(cluster, origin, chunks, proof)

    async def _take(
        self,
        cluster: Cluster,
        origin: Origin,
        chunks: AsyncIterator[bytes],
        proof: Proof | None = None,
    ) -> Snapshot:
        spool = Spool(self._directory, checked_cluster(cluster.name), origin.db_size)
        async with (
            ended(chunks),
            self._intake.receive(spool, cluster, origin, chunks, proof) as received,
        ):
            return await received.lane.do(_keep, received)

    async def listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored snapshots of a cluster, the newest first."""
        found = await in_thread(lambda _: self._listing(cluster))
        return tuple(each for each in found if not each.archive)

    async def archives(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored archives of a cluster, the newest first."""
        found = await in_thread(lambda _: self._listing(cluster))
        return tuple(each for each in found if each.archive)

    async def verify(self, snapshot: Snapshot) -> str | None:
        """Read a stored snapshot again."""
        return await in_thread(lambda gone: self._verify(snapshot, gone))

    def read(self, snapshot: Snapshot) -> AsyncGenerator[bytes, None]:
        """Stream a stored snapshot."""
        return stepwise(lambda: self._blocks(snapshot))

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:
        """Delete what retention does not keep; one process at a time does so."""
        now_ms = self._clock.now_ms()
        return await in_thread(lambda gone: self._rotate(cluster.name, retention, now_ms, gone))

    @contextmanager
    def _opened(self, cluster: ClusterName) -> Iterator[Folder | None]:
        name = checked_cluster(cluster)
        folder = Folder.open(self._directory, name, create=False)
        try:
            with disk_errors(self._directory / name):
                yield folder
        finally:
            if folder is not None:
                folder.close()

    def _listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        with self._opened(cluster) as folder:
            return _pairs(folder, cluster) if folder else ()

    def _verify(self, snapshot: Snapshot, gone: threading.Event) -> str | None:
        name = checked_name(snapshot)
        with self._opened(snapshot.cluster) as folder:
            if folder is None:
                return MISSING
            try:
                descriptor = folder.read(name)
            except FileNotFoundError:
                return MISSING
            seen = Trailer()
            try:
                while not gone.is_set() and (block := os.read(descriptor, BLOCK)):
                    seen.update(block)
            finally:
                os.close(descriptor)
            if found := difference(snapshot, seen):
                return found
            recorded = _record(folder, snapshot.cluster, name)
            return None if recorded and recorded.sha256 == snapshot.sha256 else RECORD_MISSING

    def _blocks(self, snapshot: Snapshot) -> Generator[bytes, None, None]:
        name, size = checked_name(snapshot), 0
        with self._opened(snapshot.cluster) as folder:
            if folder is None:
                raise gone(snapshot)
            try:
                descriptor = folder.read(name)
            except FileNotFoundError:
                raise gone(snapshot) from None
            try:
                while block := os.read(descriptor, BLOCK):
                    size += len(block)
                    yield block
            finally:
                os.close(descriptor)
        if size != snapshot.size:
            raise changed_length(snapshot, size)

    def _rotate(
        self, cluster: ClusterName, retention: Retention, now_ms: int, gone: threading.Event
    ) -> tuple[Snapshot, ...]:
        with self._opened(cluster) as folder:
            if folder is None:
                return ()
            deleted = []
            with folder.locked():
                # One of another size is no backup: it must not stand for its day.
                intact = [
                    each for each in _pairs(folder, cluster) if folder.size(each.name) == each.size
                ]
                for snapshot in expendable(intact, retention, now_ms):
                    if gone.is_set():
                        break
                    if folder.remove(snapshot.name):
                        deleted.append(snapshot)
                    folder.sync()
                    folder.remove(record_name(snapshot.name))
            return tuple(deleted)


def _keep(received: Received) -> Snapshot:
    """Give a pair its names."""
    folder, spool, snapshot = received.spool.folder, received.spool, received.snapshot
    record = record_name(snapshot.name)
    with disk_errors(folder.path), folder.locked():
        _remove_lone_records(folder, snapshot.cluster)
        if folder.size(snapshot.name) == snapshot.size:
            stored = _record(folder, snapshot.cluster, snapshot.name)
            if stored is not None and stored.sha256 == snapshot.sha256:
                return stored  # saved twice within one second
        _write(folder, spool.record_scratch, to_record(snapshot))
        try:
            folder.rename(spool.record_scratch, record)
            folder.rename(spool.scratch, snapshot.name)
        except OSError:
            folder.remove(snapshot.name)
            folder.remove(record)
            raise
    return snapshot


def _remove_lone_records(folder: Folder, cluster: ClusterName) -> None:
    """Remove what was left by a process that was killed between the two names of a pair."""
    for name in folder.names():
        data = data_name(name)
        if name.endswith(RECORD) and is_name(cluster, data) and folder.size(data) is None:
            folder.remove_abandoned(name)


def _write(folder: Folder, name: str, data: bytes) -> None:
    with os.fdopen(folder.create(name), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _pairs(folder: Folder, cluster: ClusterName) -> tuple[Snapshot, ...]:
    found = []
    for name in folder.names():
        if is_name(cluster, name) and folder.size(name) is not None:
            snapshot = _record(folder, cluster, name)
            if snapshot is None:
                _log.warning("%s has no record that belongs to it", folder.path / name)
            else:
                found.append(snapshot)
    return tuple(sorted(found, key=lambda each: (each.taken_at_ms, each.name), reverse=True))


def _record(folder: Folder, cluster: ClusterName, name: str) -> Snapshot | None:
    try:
        descriptor = folder.read(record_name(name))
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return from_record(cluster, name, file.read(RECORD_LIMIT))
