"""The lists that people look at: changes that ended, and clusters that are paused."""

from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import connect
from bot.store.pauses import Pause, Pauses
from bot.store.runs import Runs
from bot.store.unfinished import ended
from procedures.model.events import Event, Expired, Planned, RefusedBy, Succeeded
from procedures.model.ids import ClusterName, RunId, Site, UserId
from tests.support.made_runs import a_plan
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, WORKER

DEMO, SITE = ClusterName("demo"), Site("default")


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


async def over(redis: Redis, *events: Event, cluster: str = "demo") -> RunId:
    """A run that a worker brought to its end."""
    name = await Runs(redis, FRONT, KEYRING).accept(
        a_request(cluster=cluster), source=f"{events}{cluster}{await redis.dbsize()}"
    )
    worker = Runs(redis, WORKER, KEYRING)
    await worker.hold(*await worker.take(name, SITE), *events, then="closed")
    return name


async def test_changes_that_ended_are_listed(redis: Redis) -> None:
    """The newest first, those of one cluster; also what was refused, and no question."""
    refused = await over(redis, RefusedBy("No."))
    done = await over(redis, Planned(a_plan(), 0), Succeeded())
    await over(redis, Succeeded())
    other = await over(redis, RefusedBy("No."), cluster="other")
    assert await ended(redis, DEMO, 10) == [done, refused]
    assert await ended(redis, DEMO, 1) == [done]
    assert await ended(redis, ClusterName("other"), 10) == [other]
    assert await ended(redis, ClusterName("none"), 10) == []


async def test_what_a_front_ends_is_listed_too(redis: Redis) -> None:
    """An approval that nobody gave in time."""
    front, worker = Runs(redis, FRONT, KEYRING), Runs(redis, WORKER, KEYRING)
    name = await front.accept(a_request(), source="1")
    await worker.hold(*await worker.take(name, SITE), Planned(a_plan(), 1), then="waiting")
    assert await ended(redis, DEMO, 10) == []
    await front.append(name, SITE, await front.read(name), Expired("late."), then="closed")
    assert await ended(redis, DEMO, 10) == [name]


async def test_the_list_has_an_end(redis: Redis) -> None:
    """It holds 200; the journals of the others stay."""
    await redis.zadd(keys.ended(DEMO), {f"r-old{n}": n for n in range(200)})
    name = await over(redis, RefusedBy("No."))
    listed = await ended(redis, DEMO, 500)
    assert (len(listed), listed[0], listed[-1]) == (200, name, "r-old1")


async def test_a_pause_is_of_one_cluster(redis: Redis) -> None:
    """Whoever paused first is remembered, until somebody ends it."""
    pauses, first = Pauses(redis), Pause(UserId("U0BOB"), 1_000)
    assert await pauses.of(DEMO) is None
    assert await pauses.begin(DEMO, first)
    assert not await pauses.begin(DEMO, Pause(UserId("U0CAROL"), 2_000))
    assert await pauses.of(DEMO) == first
    assert await pauses.of(ClusterName("other")) is None
    assert await pauses.end(DEMO)
    assert not await pauses.end(DEMO)
    assert await pauses.of(DEMO) is None


async def test_a_pause_that_somebody_scribbled_still_stops(redis: Redis) -> None:
    """Whatever is stored, it is a pause."""
    await redis.set(keys.paused(DEMO), b"\xff")
    assert await Pauses(redis).of(DEMO) is not None
