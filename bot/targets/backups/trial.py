"""Trying a snapshot for real: restore it with its tool, start etcd on it, and ask that. (N10)"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc

from bot.dying import dying
from bot.targets.backups.bolt import compacted_revision
from bot.targets.backups.ground import ground
from bot.targets.backups.running import end, environment, first_line, run
from bot.targets.backups.tools import Reading, Tools, minor_of
from bot.targets.backups.trailer import Trailer
from bot.targets.etcd.wire import etcd_pb2
from procedures.engine.drills import Say
from procedures.model.drill import (
    CLIENT_SOCKET,
    SNAPSHOT,
    Tried,
    restore_argv,
    serve_argv,
)
from procedures.model.errors import Permanent
from procedures.model.probe import HashKv
from procedures.model.snapshot import Snapshot

SCRATCH_ROOT = Path("/var/tmp")  # noqa: S108 - a private directory is made below it
_LOG_BYTES = 2 * 64 * 1024**2
"""A restored member begins with a log file of 64 MB, and makes the next one at once."""
_SLOWEST_BYTES_A_S = 5 * 1024**2
_LEAST_S = 60.0
_POLL_S = 0.2
_LOG = "etcd.log"


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries snapshots in folders below `scratch`, one after the other or at once."""

    tools: Tools
    scratch: Path

    async def fault(self, snapshot: Snapshot) -> str | None:
        """Say why snapshots like this cannot be tried here; None: they can."""
        try:
            minor = minor_of(snapshot.origin.version)
            await self.tools.find(minor)
            await self.tools.server(minor)
        except Permanent as error:
            return str(error)
        return None

    async def carry_out(
        self, snapshot: Snapshot, chunks: AsyncIterator[bytes], token: str, say: Say
    ) -> Tried:
        """Restore, serve, ask, remove. Raises Permanent with what is wrong."""
        minor = minor_of(snapshot.origin.version)
        tool, server = await self.tools.find(minor), await self.tools.server(minor)
        limit_s = _LEAST_S + snapshot.size / _SLOWEST_BYTES_A_S
        with ExitStack() as stack:
            # The copy, what is restored from it, and etcd's log (R13).
            needed = 3 * snapshot.size + _LOG_BYTES
            folder = await asyncio.to_thread(stack.enter_context, ground(self.scratch, needed))
            await _fill(folder / SNAPSHOT, snapshot, chunks)
            reading = await self.tools.read(tool, str(folder / SNAPSHOT), snapshot.size)
            reached = await asyncio.to_thread(_reached, folder / SNAPSHOT, reading)
            await say(f"{snapshot.name} is whole; {tool.name} {minor} reads it")
            status, out, errors = await run(dying(restore_argv(tool.path, token)), limit_s, folder)
            if status:
                why = first_line(errors or out)
                message = f"{snapshot.name} cannot be restored: {tool.name} {minor} says {why}."
                raise Permanent(message)
            if status is None:
                message = f"{snapshot.name} was not restored within {limit_s:.0f} s."
                raise Permanent(message)
            await say("restored; etcd is started on it")
            async with _served(server, folder, limit_s, snapshot) as channel:
                return await _asked(channel, snapshot, reading, reached)


async def _fill(path: Path, snapshot: Snapshot, chunks: AsyncIterator[bytes]) -> None:
    """Copy it, and make sure that it is what was stored."""
    seen = Trailer()
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        async for chunk in chunks:
            seen.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    if fault := seen.fault or (None if seen.sha256 == snapshot.sha256 else "is another one"):
        message = f"{snapshot.name} {fault}."
        raise Permanent(message)


def _reached(path: Path, reading: Reading) -> int:
    with path.open("rb") as file:
        return max(reading.revision, compacted_revision(file.fileno()), 1)


@asynccontextmanager
async def _served(
    server: str, folder: Path, limit_s: float, snapshot: Snapshot
) -> AsyncIterator[grpc.aio.Channel]:
    """Run etcd in the folder until it answers, and as long as it is asked."""
    with (folder / _LOG).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *dying(serve_argv(server)),
            cwd=folder,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    options = [("grpc.default_authority", "localhost"), ("grpc.enable_http_proxy", 0)]
    # A socket's path may have 107 bytes only, and the folder's may be longer.
    entered = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    where = f"unix:/proc/self/fd/{entered}/{CLIENT_SOCKET}"
    channel = grpc.aio.insecure_channel(where, options)
    try:
        await _ready(process, channel, limit_s, snapshot, folder)
        yield channel
    finally:
        await channel.close(0)
        await end(process)
        os.close(entered)


async def _ready(
    process: asyncio.subprocess.Process,
    channel: grpc.aio.Channel,
    limit_s: float,
    snapshot: Snapshot,
    folder: Path,
) -> None:
    why = f"it did not answer within {limit_s:.0f} s"
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while process.returncode is None:
                with suppress(grpc.aio.AioRpcError):
                    await _status(channel)
                    return
                await asyncio.sleep(_POLL_S)
            why = f"it ended with status {process.returncode}: {_last_line(folder / _LOG)}"
    message = f"etcd does not start on what was restored from {snapshot.name}: {why}."
    raise Permanent(message)


def _last_line(log: Path) -> str:
    lines = log.read_bytes().strip().splitlines()
    return first_line(lines[-1]) if lines else "it gave no reason"


async def _asked(
    channel: grpc.aio.Channel, snapshot: Snapshot, reading: Reading, reached: int
) -> Tried:
    """Compare nothing yet: say what there is."""
    everything = etcd_pb2.RangeRequest(key=b"\0", range_end=b"\0", count_only=True)
    count_all = channel.unary_unary(
        "/etcdserverpb.KV/Range",
        request_serializer=etcd_pb2.RangeRequest.SerializeToString,
        response_deserializer=etcd_pb2.RangeReply.FromString,
    )
    hash_kv = channel.unary_unary(
        "/etcdserverpb.Maintenance/HashKV",
        request_serializer=etcd_pb2.HashKvRequest.SerializeToString,
        response_deserializer=etcd_pb2.HashKvReply.FromString,
    )
    limit_s = _LEAST_S + snapshot.size / _SLOWEST_BYTES_A_S
    before = snapshot.origin.hash_kv
    try:
        found = await count_all(everything, timeout=limit_s)
        hashed = None
        if before is not None:
            reply = await hash_kv(etcd_pb2.HashKvRequest(revision=before.revision), timeout=limit_s)
            hashed = HashKv(before.revision, reply.compact_revision, reply.hash)
        status = await _status(channel)
    except grpc.aio.AioRpcError as error:
        message = f"etcd, started on {snapshot.name}, does not serve it: {error.details()}."
        raise Permanent(message) from error
    return Tried(
        hash=reading.hash,
        revision=reading.revision,
        total_keys=reading.total_keys,
        reached=reached,
        served=found.header.revision,
        keys=found.count,
        hash_kv=hashed,
        version=status.version,
    )


async def _status(channel: grpc.aio.Channel) -> etcd_pb2.StatusReply:
    """It answers once it leads: before that, a read waits for it."""
    status = channel.unary_unary(
        "/etcdserverpb.Maintenance/Status",
        request_serializer=etcd_pb2.StatusRequest.SerializeToString,
        response_deserializer=etcd_pb2.StatusReply.FromString,
    )
    reply: etcd_pb2.StatusReply = await status(etcd_pb2.StatusRequest(), timeout=5)
    return reply
