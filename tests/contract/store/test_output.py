"""What is read back of a run's output, on a real Redis."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.store import keys, output
from bot.store.connection import connect
from bot.store.output import Batch, Line, open_shelf, read_output
from procedures.model.ids import RunId
from tests.support.redis import RedisServer

RUN = RunId("r-00000001")


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


async def stored(redis: Redis, batch: Batch) -> None:
    """As `append_if` stores a batch."""
    await redis.rpush(keys.output(RUN, batch.part), batch.packed)
    if batch.drop:
        await redis.ltrim(keys.output(RUN, batch.part), batch.drop, -1)


async def said(redis: Redis, count: int, *, together: int = 3) -> list[Line]:
    """Lines in batches of a few."""
    shelf = await open_shelf(redis, RUN)
    lines = [shelf.number(1, 0, f"line {n}") for n in range(count)]
    for start in range(0, count, together):
        await stored(redis, shelf.batch(lines[start : start + together]))
    return lines


def texts(lines: Sequence[Line]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize("first", [0, 1, 2, 3, 50, 97, 99, 100, 1_000])
async def test_from_any_line_on(redis: Redis, first: int) -> None:
    """In order, and nothing before it, wherever the batches begin."""
    lines = await said(redis, 100)
    assert list(await read_output(redis, RUN, first)) == lines[first:]


@pytest.mark.parametrize("count", [1, 30, 100, 500])
async def test_the_last_lines(redis: Redis, count: int) -> None:
    """A negative number counts from the end."""
    lines = await said(redis, 100)
    assert list(await read_output(redis, RUN, -count)) == lines[-count:]


async def test_the_next_worker_goes_on(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines have the numbers after those that are there, also when the tail has begun."""
    monkeypatch.setattr(output, "HALF_BYTES", 200)
    numbers = [line.seq for _ in range(4) for line in await said(redis, 5)]
    assert numbers == list(range(20))
    kept = [line.seq for line in await read_output(redis, RUN)]
    assert kept == sorted(set(kept))
    assert kept[-1] == 19


async def test_nothing_was_said(redis: Redis) -> None:
    """That is no fault."""
    assert await read_output(redis, RUN) == ()
    assert await read_output(redis, RUN, -30) == ()


async def test_a_batch_that_is_there_twice_is_read_once(redis: Redis) -> None:
    """Its reply was lost, and the worker wrote it again."""
    shelf = await open_shelf(redis, RUN)
    batch = shelf.batch([shelf.number(1, 0, "a"), shelf.number(1, 0, "b")])
    for _ in range(2):
        await stored(redis, batch)
    await stored(redis, shelf.batch([shelf.number(1, 0, "c")]))
    assert texts(await read_output(redis, RUN)) == ["a", "b", "c"]


async def test_head_and_tail(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too much output the beginning and the end are read; the numbers show the gap."""
    monkeypatch.setattr(output, "HALF_BYTES", 300)
    await said(redis, 200)
    kept = await read_output(redis, RUN)
    numbers = [line.seq for line in kept]
    assert numbers[0] == 0
    assert numbers[-1] == 199
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 100
    assert list(await read_output(redis, RUN, 100)) == [line for line in kept if line.seq >= 100]
