"""The lock of what a run changes: it belongs to the run, and to no worker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import connect
from bot.store.refusals import LeaseLost, Locked
from bot.store.runs import Lease, Runs
from bot.store.signing import Journal
from procedures.model.events import Began, Doubted, Expired, Failed, Succeeded
from procedures.model.ids import RunId, Site
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

SITE = Site("default")
LOCK = "etcd/demo"


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


@pytest.fixture
def runs(redis: Redis) -> Runs:
    """As a worker sees them."""
    return Runs(redis, WORKER, KEYRING)


@pytest.fixture
def front(redis: Redis) -> Runs:
    """As a front sees them."""
    return Runs(redis, FRONT, KEYRING)


async def taken(runs: Runs, front: Runs, source: str) -> tuple[RunId, Lease, Journal]:
    """A run in a worker's hand."""
    run = await front.accept(a_request(), source=source)
    return run, *await runs.take(run, SITE)


async def test_one_run_has_it(runs: Runs, front: Runs) -> None:
    """The other is told which, and nothing of what it would have written is there."""
    one, lease, journal = await taken(runs, front, "1")
    other, others, seen = await taken(runs, front, "2")
    await runs.hold(lease, journal, lock=LOCK)
    with pytest.raises(Locked) as caught:
        await runs.hold(others, seen, Began("w"), lock=LOCK)
    assert caught.value.holder == one
    assert (await runs.read(other)).version == seen.version
    assert (await runs.holder(LOCK), await runs.turn(LOCK)) == (one, 1)


async def test_another_lock_is_free(runs: Runs, front: Runs) -> None:
    """Two clusters may be changed at the same time."""
    one, lease, journal = await taken(runs, front, "1")
    other, others, seen = await taken(runs, front, "2")
    await runs.hold(lease, journal, lock=LOCK)
    await runs.hold(others, seen, lock="etcd/other")
    assert (await runs.holder(LOCK), await runs.holder("etcd/other")) == (one, other)


async def test_it_stays_while_a_person_is_waited_for(runs: Runs, front: Runs) -> None:
    """In doubt, nobody holds the run, and no other may change the cluster."""
    one, lease, journal = await taken(runs, front, "1")
    journal = await runs.hold(lease, journal, lock=LOCK)
    await runs.hold(lease, journal, Doubted(1, "who knows"), then="waiting", lock=LOCK)
    _, others, seen = await taken(runs, front, "2")
    with pytest.raises(Locked):
        await runs.hold(others, seen, lock=LOCK)
    assert await runs.holder(LOCK) == one


async def test_it_outlives_workers(runs: Runs, front: Runs, redis: Redis) -> None:
    """The next worker of the run finds it locked for the run, and that is no second turn."""
    one, lease, journal = await taken(runs, front, "1")
    short = Runs(redis, WORKER, KEYRING, lease_ms=30)
    await short.hold(lease, journal, lock=LOCK)

    async def gone() -> bool:
        return not await redis.exists(keys.lease(one))

    await eventually(gone, 5, "the lease has run out")
    assert await runs.holder(LOCK) == one
    assert await redis.ttl(keys.lock(LOCK)) == -1
    fresh, journal = await runs.take(one, SITE)
    await runs.hold(fresh, journal, lock=LOCK)
    assert (await runs.holder(LOCK), await runs.turn(LOCK)) == (one, 1)


async def test_whoever_lost_the_lease_gets_no_lock(runs: Runs, front: Runs, redis: Redis) -> None:
    """Not even one that is free."""
    _, lease, journal = await taken(runs, front, "1")
    await redis.delete(keys.lease(lease.run))
    with pytest.raises(LeaseLost):
        await runs.hold(lease, journal, lock=LOCK)
    assert (await runs.holder(LOCK), await runs.turn(LOCK)) == (None, 0)


async def test_the_end_gives_it_back(runs: Runs, front: Runs) -> None:
    """Then another may have it, and that is another turn."""
    _, lease, journal = await taken(runs, front, "1")
    journal = await runs.hold(lease, journal, lock=LOCK)
    await runs.hold(lease, journal, Succeeded(), then="closed", lock=LOCK)
    assert await runs.holder(LOCK) is None
    other, others, seen = await taken(runs, front, "2")
    await runs.hold(others, seen, lock=LOCK)
    assert (await runs.holder(LOCK), await runs.turn(LOCK)) == (other, 2)


async def test_nobody_gives_back_what_another_has(runs: Runs, front: Runs) -> None:
    """Neither a worker nor a front that ends a run which never had it."""
    one, lease, journal = await taken(runs, front, "1")
    await runs.hold(lease, journal, lock=LOCK)
    _, others, seen = await taken(runs, front, "2")
    await runs.hold(others, seen, Failed("no"), then="closed", lock=LOCK)
    third = await front.accept(a_request(), source="3")
    seen = await front.read(third)
    await front.append(third, SITE, seen, Expired("late"), then="closed", unlock=LOCK)
    assert await runs.holder(LOCK) == one
