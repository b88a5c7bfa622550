"""From a stream to a verified snapshot that only lacks its final name."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.targets.backups.bolt import compacted_revision
from bot.targets.backups.lane import Lane
from bot.targets.backups.naming import DATA, checked_cluster, snapshot_name
from bot.targets.backups.spool import Spool
from bot.targets.backups.tools import Reading, Tool, Tools, minor_of
from procedures.engine.ports import Clock
from procedures.model.errors import Permanent
from procedures.model.inventory import Cluster
from procedures.model.snapshot import ARCHIVE, Origin, Proof, Snapshot

_BATCH = 8 * 1024**2
"""etcd sends 32 KiB at a time: too little to change threads for. Larger is faster, by a little."""


@dataclass(frozen=True, slots=True)
class Received:
    """A verified snapshot in a spool, which is removed unless it is given another name.

    What is done with the spool is done in the lane.
    """

    snapshot: Snapshot
    spool: Spool
    lane: Lane


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes snapshots in. It uses one thread and about two batches of memory for each."""

    tools: Tools
    clock: Clock

    @asynccontextmanager
    async def receive(
        self,
        spool: Spool,
        cluster: Cluster,
        origin: Origin,
        chunks: AsyncIterator[bytes],
        proof: Proof | None = None,
    ) -> AsyncIterator[Received]:
        """Write a stream to the spool and verify it. Raises as `Backups.save` does.

        With a proof it is an archive, and as `Backups.save_archive` does.
        """
        checked_cluster(cluster.name)
        tool = None if proof else await self.tools.find(minor_of(origin.version))
        async with Lane(spool.close) as lane:
            await lane.do(spool.begin)
            taken_at_ms = self.clock.now_ms()
            await _fill(spool, lane, chunks)
            await lane.do(spool.settle)
            size, sha256 = spool.trailer.size, spool.trailer.sha256
            if tool:
                reading = await self._read(tool, spool, lane, origin)
            else:
                assert proof is not None  # noqa: S101 (there is a tool or a proof)
                reading = proven(origin, size, sha256, proof)
            end = DATA if tool else ARCHIVE
            yield Received(
                Snapshot(
                    cluster=cluster.name,
                    name=snapshot_name(cluster.name, taken_at_ms, reading.revision, sha256, end),
                    taken_at_ms=taken_at_ms,
                    size=size,
                    sha256=sha256,
                    hash=reading.hash,
                    revision=reading.revision,
                    total_keys=reading.total_keys,
                    origin=origin,
                ),
                spool,
                lane,
            )

    async def _read(self, tool: Tool, spool: Spool, lane: Lane, origin: Origin) -> Reading:
        if fault := spool.trailer.fault:
            message = f"The snapshot from {origin.name} {fault}. Nothing is kept: take another."
            raise Permanent(message)
        reading = await self.tools.read(tool, str(spool.path), spool.trailer.size)
        compacted = await lane.do(compacted_revision, spool.descriptor)
        check_age(origin, reading, compacted)
        return reading


@asynccontextmanager
async def ended(chunks: AsyncIterator[bytes]) -> AsyncIterator[None]:
    """End a stream whatever happens, where it can be ended."""
    try:
        yield
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def check_age(origin: Origin, reading: Reading, compacted: int) -> None:
    """Raise Permanent for a snapshot that does not reach the revision that the cluster had."""
    reached = max(reading.revision, compacted, 1)  # 1: nothing was ever written
    if reached < origin.revision:
        message = (
            f"The snapshot from {origin.name} ends at revision {reached}, and the cluster was at "
            f"{origin.revision} before: {origin.name} lags behind. Nothing is kept: take it from "
            "another member."
        )
        raise Permanent(message)


def proven(origin: Origin, size: int, sha256: str, proof: Proof) -> Reading:
    """Raise Permanent for an archive that is not what its host has hashed."""
    if (size, sha256) != (proof.size, proof.sha256):
        message = (
            f"What arrived of the archive from {origin.name} has {size} bytes and the SHA-256 "
            f"{sha256}, and there it has {proof.size} and {proof.sha256}. Nothing is kept: take "
            "it again."
        )
        raise Permanent(message)
    if proof.revision < origin.revision:
        message = (
            f"The archive from {origin.name} ends at revision {proof.revision}, and the cluster "
            f"was at {origin.revision} before. Nothing is kept: take it again."
        )
        raise Permanent(message)
    return Reading(proof.hash, proof.revision, proof.total_keys, size)


async def _fill(spool: Spool, lane: Lane, chunks: AsyncIterator[bytes]) -> None:
    """Write a batch while the next one comes in."""
    batch: list[bytes] = []
    size = 0
    writing = lane.begin(spool.write, ())  # nothing yet
    try:
        async for chunk in chunks:
            batch.append(chunk)
            size += len(chunk)
            if size >= _BATCH:
                await writing
                writing = lane.begin(spool.write, batch)
                batch, size = [], 0
        await writing
        writing = lane.begin(spool.write, batch)
        await writing
    finally:
        # Nobody waits for it any more; what comes next in the lane comes after it.
        if not writing.cancel() and not writing.cancelled():
            writing.exception()
