"""A snapshot, streamed from a member."""

import asyncio
from collections.abc import AsyncGenerator

import grpc

from bot.targets.etcd import outcomes
from bot.targets.etcd.channel import Link
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import seconds
from bot.targets.etcd.wire import etcd_pb2 as pb
from procedures.model.errors import Retryable

_SHA256_BYTES = 32


async def chunks(link: Link, patience_ms: int) -> AsyncGenerator[bytes, None]:
    """Give the bytes as they come; the call ends with the generator.

    Raises Permanent where the member refuses. Raises Retryable where no byte comes for
    `patience_ms`, not counting the time that the reader takes for itself, and where the stream
    ends before all that was announced, and the SHA-256 after it, has come.
    """
    who = link.target.who
    call = link.stream("/etcdserverpb.Maintenance/Snapshot", pb.SnapshotRequest(), pb.SnapshotReply)
    announced: int | None = None
    received = 0
    deadline = Deadline.after(patience_ms)
    try:
        while True:
            try:
                async with asyncio.timeout_at(deadline.at):
                    reply = await call.read()
            except TimeoutError:
                raise broken(who, f"nothing came for {seconds(patience_ms)}", received) from None
            except grpc.aio.AioRpcError as error:
                raise _judged(who, error, received) from error
            if not isinstance(reply, pb.SnapshotReply):
                break
            if announced is None:
                announced = len(reply.blob) + reply.remaining_bytes
            # An empty chunk is legal, and no progress: a member that cannot read its data any
            # more sends nothing else.
            if reply.blob:
                received += len(reply.blob)
                yield reply.blob
                deadline = Deadline.after(patience_ms)
    finally:
        call.cancel()
    if announced is None or received != announced + _SHA256_BYTES:
        raise broken(who, "it ended too early", received)


def _judged(who: str, error: grpc.aio.AioRpcError, received: int) -> Exception:
    """Whatever it is, nothing has changed: there is no doubt."""
    refusal = outcomes.turned_away(who, outcomes.SNAPSHOT, error.code(), error.details())
    return refusal or broken(who, error.details() or error.code().name.lower(), received)


def broken(who: str, why: str, received: int) -> Retryable:
    """Say why a snapshot is not whole; `received` is in bytes."""
    return Retryable(
        f"The snapshot from {who} broke off after {received} bytes: {why.rstrip('. ')}."
        " Nothing has changed; it can be taken again."
    )
