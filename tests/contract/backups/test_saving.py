"""What is saved is whole, and what is not whole leaves nothing behind."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from procedures.model.errors import Permanent, Retryable
from tests.contract.backups.values import (
    a_cluster,
    an_origin,
    flipped,
    random_bytes,
    sealed,
    stream,
)
from tests.contract.backups.worlds import World, save
from tests.support.sight import NOW_MS


async def test_what_is_saved_is_listed_and_verified(world: World) -> None:
    """A snapshot is described as it is, found again, and holds the very bytes that came."""
    snapshot = await save(world)
    data = world.samples.three.data
    assert await world.backups.listing(world.cluster.name) == (snapshot,)
    assert await world.backups.verify(snapshot) is None
    assert world.bytes_of(snapshot) == data
    assert (snapshot.size, snapshot.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert snapshot.revision == world.samples.three.revision
    assert snapshot.total_keys >= 3
    assert int(snapshot.hash, 16)
    assert snapshot.taken_at_ms == NOW_MS
    assert snapshot.origin == an_origin(world.samples.three.revision)
    time = datetime.fromtimestamp(NOW_MS / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    assert snapshot.name == f"prod-{time}-{snapshot.revision}-{snapshot.sha256[:12]}.db"
    assert world.everything() == {snapshot.name, snapshot.name.replace(".db", ".json")}


@pytest.mark.parametrize("size", [1, 31, 32, 33, 511, 4096, 10**6])
async def test_how_the_stream_is_cut_does_not_matter(world: World, size: int) -> None:
    """The last 32 bytes are told from the rest in whatever pieces they come."""
    taken = world.samples.new if size == 1 else world.samples.three
    chunks = stream(taken.data, size)
    snapshot = await world.backups.save(world.cluster, an_origin(taken.revision), chunks)
    assert world.bytes_of(snapshot) == taken.data


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "one byte short": lambda data: data[:-1],
    "half": lambda data: data[: len(data) // 2],
    "cut where a page ends": lambda data: data[: len(data) - 32 - 4096],
    "cut so that its length is right": lambda data: data[: len(data) - 512],
    "no SHA-256, as a copied data file": lambda data: data[:-32],
    "first byte flipped": lambda data: flipped(data, 0),
    "byte of a meta page flipped": lambda data: flipped(data, 24),
    "byte in the middle flipped": lambda data: flipped(data, len(data) // 2),
    "last byte of the data flipped": lambda data: flipped(data, len(data) - 33),
    "first byte of the SHA-256 flipped": lambda data: flipped(data, len(data) - 32),
    "last byte of the SHA-256 flipped": lambda data: flipped(data, len(data) - 1),
    "a byte more": lambda data: data + b"\0",
    "sent twice": lambda data: data + data,
    "a page more": lambda data: data[:-32] + bytes(512) + data[-32:],
    "empty": lambda _: b"",
    "nothing but the SHA-256 of nothing": lambda _: sealed(b""),
    "no database": lambda _: sealed(random_bytes(8192)),
    "zeros": lambda _: sealed(bytes(8192)),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_what_is_not_whole_is_refused(world: World, how: str) -> None:
    """It says so, nothing of it stays, and what was there before is not touched."""
    before = await save(world)
    kept = world.everything()
    world.clock.ms += 60_000
    chunks = stream(BROKEN[how](world.samples.five.data))
    with pytest.raises(Permanent, match="snapshot"):
        await world.backups.save(world.cluster, an_origin(1), chunks)
    assert world.everything() == kept
    assert await world.backups.listing(world.cluster.name) == (before,)
    assert await world.backups.verify(before) is None


async def test_an_older_one_is_refused(world: World) -> None:
    """A member that lags behind gives a whole snapshot, which lacks the last writes."""
    taken = world.samples.three
    with pytest.raises(Permanent, match=f"revision {taken.revision}.*lags behind"):
        await world.backups.save(world.cluster, an_origin(taken.revision + 1), stream(taken.data))
    assert world.everything() == set()


async def test_a_newer_one_is_welcome(world: World) -> None:
    """What is written between the question and the snapshot is in the snapshot."""
    taken = world.samples.five
    snapshot = await world.backups.save(world.cluster, an_origin(1), stream(taken.data))
    assert snapshot.revision == taken.revision


async def test_a_new_cluster_can_be_saved(world: World) -> None:
    """It is at revision 1 with no write, for which the tool says 0."""
    taken = world.samples.new
    assert taken.revision == 1
    snapshot = await world.backups.save(world.cluster, an_origin(1), stream(taken.data))
    assert snapshot.revision == 0


async def test_a_compacted_deletion_does_not_make_it_old(world: World) -> None:
    """The tool knows no revision whose traces are compacted away; the compaction proves it."""
    taken = world.samples.compacted
    snapshot = await world.backups.save(
        world.cluster, an_origin(taken.revision), stream(taken.data)
    )
    assert snapshot.revision < taken.revision
    with pytest.raises(Permanent, match="lags behind"):
        await world.backups.save(world.cluster, an_origin(taken.revision + 1), stream(taken.data))


@pytest.mark.parametrize("version", ["9.9.1", "3", "", "latest", "3.4.23/../x"])
async def test_without_the_tool_nothing_is_streamed(world: World, version: str) -> None:
    """A version that cannot be checked is refused before gigabytes are read in vain."""
    begun = False

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal begun
        begun = True
        yield b""

    with pytest.raises(Permanent):
        await world.backups.save(world.cluster, an_origin(1, version=version), chunks())
    assert not begun
    assert world.everything() == set()


async def test_a_stream_that_breaks_leaves_nothing(world: World) -> None:
    """Its own error comes through."""

    async def chunks() -> AsyncIterator[bytes]:
        yield world.samples.three.data[:9000]
        message = "the member went away"
        raise Retryable(message)

    with pytest.raises(Retryable, match="the member went away"):
        await world.backups.save(world.cluster, an_origin(1), chunks())
    assert world.everything() == set()


async def test_a_cancelled_save_leaves_nothing_and_ends_the_stream(world: World) -> None:
    """Also when it is cancelled while it waits for the stream."""
    waiting, ended = asyncio.Event(), asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield world.samples.three.data[:9000]
            waiting.set()
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = asyncio.create_task(world.backups.save(world.cluster, an_origin(1), chunks()))
    await asyncio.wait_for(waiting.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert world.everything() == set()


async def test_saves_at_once_do_not_disturb_each_other(world: World) -> None:
    """Of one cluster and of others; each is there and whole afterwards."""
    taken = world.samples.three, world.samples.five
    clusters = [a_cluster(name) for name in ("prod", "prod", "test", "prod-2")]
    saved = await asyncio.gather(
        *(
            world.backups.save(cluster, an_origin(1), stream(taken[number % 2].data, 700))
            for number, cluster in enumerate(clusters)
        )
    )
    assert await asyncio.gather(*(world.backups.verify(each) for each in saved)) == [None] * 4
    assert set(await world.backups.listing(clusters[0].name)) == {saved[0], saved[1]}
    assert await world.backups.listing(clusters[2].name) == (saved[2],)
    assert await world.backups.listing(clusters[3].name) == (saved[3],)


async def test_the_same_content_twice_within_a_second_is_one_backup(world: World) -> None:
    """Its name says all of it; both who saved it are told of the one that is there."""
    one, two = await asyncio.gather(save(world), save(world))
    world.clock.ms += 1
    three = await save(world)
    assert one == two == three
    assert await world.backups.listing(world.cluster.name) == (one,)
    assert await world.backups.verify(one) is None
