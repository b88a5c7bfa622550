"""Snapshots that are whole, and all the ways in which they are not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import grpc
import pytest

from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.wire import etcd_pb2 as pb
from procedures.model.errors import Permanent, QuorumbotError, Retryable
from tests.integration.etcd.acting import PATIENCE_MS, failure, one
from tests.integration.etcd.scripted import Context, Stream, scripted
from tests.support.waiting import eventually

SHA256 = bytes(32)

Code = grpc.StatusCode


async def drained(actor: EtcdActor, url: str) -> bytes:
    return b"".join([part async for part in actor.snapshot(one(url), url)])


def chunk(blob: bytes, remaining: int) -> bytes:
    return pb.SnapshotReply(blob=blob, remaining_bytes=remaining).SerializeToString()


def sending(*parts: bytes, then: Callable[[Context], Awaitable[object]] | None = None) -> Stream:
    """Stream so many parts, and then do something before the end."""

    async def stream(_: bytes, context: Context) -> AsyncIterator[bytes]:
        for part in parts:
            yield part
        if then is not None:
            await then(context)

    return stream


async def test_snapshot_in_odd_parts(actor: EtcdActor) -> None:
    """Empty parts and large ones are fine, and so is a reader that is slow."""
    large = bytes(5 * 1024**2)
    parts = (chunk(b"", len(large) + 3), chunk(large, 3), chunk(b"abc", 0), chunk(SHA256, 0))
    async with scripted(snapshot=sending(*parts, chunk(b"", 0))) as script:
        got = b""
        async for part in actor.snapshot(one(script.url), script.url):
            got += part
            await asyncio.sleep((PATIENCE_MS + 100) / 1000 if len(got) == len(large) else 0)
    assert got == large + b"abc" + SHA256


async def _refuse(context: Context) -> None:
    await context.abort(Code.PERMISSION_DENIED, "etcdserver: permission denied")


async def _break(context: Context) -> None:
    await context.abort(Code.UNKNOWN, "read /var/lib/etcd/member/snap/db: input/output error")


async def _freeze(_: Context) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("stream", "kind", "why"),
    [
        (sending(), Retryable, "0 bytes: it ended too early"),
        (sending(chunk(b"abc", 5)), Retryable, "3 bytes: it ended too early"),
        (sending(chunk(b"abc", 0)), Retryable, "it ended too early"),
        (sending(chunk(b"abc", 0), chunk(SHA256, 0), chunk(b"x", 0)), Retryable, "too early"),
        (sending(chunk(b"abc", 5), then=_break), Retryable, "input/output error"),
        (sending(chunk(b"abc", 5), then=_freeze), Retryable, "nothing came for 1.8 s"),
        (sending(then=_refuse), Permanent, "permission denied"),
    ],
)
async def test_snapshot_that_is_not_whole(
    actor: EtcdActor, stream: Stream, kind: type[QuorumbotError], why: str
) -> None:
    """What is cut off, or stands still, is told from what is whole; it has changed nothing."""
    async with scripted(snapshot=stream) as script:
        error = await failure(drained(actor, script.url))
    assert type(error) is kind
    assert why in str(error)


async def test_snapshot_of_nothing_but_empty_parts(actor: EtcdActor) -> None:
    """A member whose data has become unreadable sends them for ever, which is no progress."""

    async def stream(_: bytes, __: Context) -> AsyncIterator[bytes]:
        while True:
            yield chunk(b"", 5)
            await asyncio.sleep(0.01)

    async with scripted(snapshot=stream) as script:
        error = await failure(drained(actor, script.url))
    assert isinstance(error, Retryable)
    assert "nothing came" in str(error)


async def test_snapshot_closed_early(actor: EtcdActor) -> None:
    """The member hears that nobody reads any more."""
    async with scripted(snapshot=sending(chunk(b"abc", 5), then=_freeze)) as script:
        async with aclosing(actor.snapshot(one(script.url), script.url)) as parts:
            assert await anext(parts) == b"abc"
        await eventually(lambda: script.ended == ["Snapshot"], 2, "the server has heard")
