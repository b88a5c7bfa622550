"""What the store of runs promises, on a real Redis."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.gate import StoreGate
from bot.store import keys
from bot.store.connection import connect
from bot.store.queue import SWEEP_AFTER_MS, Queue
from bot.store.refusals import Conflict, Known, LeaseLost
from bot.store.runs import Runs
from procedures.model.errors import InDoubt, Retryable
from procedures.model.events import Began, CancelAsked, Expired, Failed, Succeeded
from procedures.model.ids import RunId, Site, UserId
from procedures.model.run import State, fold
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

SITE = Site("default")
BOB = UserId("U0BOB")


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


def front(redis: Redis) -> Runs:
    return Runs(redis, FRONT, KEYRING)


def worker(redis: Redis, lease_ms: int = 6_000) -> Runs:
    return Runs(redis, WORKER, KEYRING, lease_ms=lease_ms)


async def accepted(redis: Redis, source: str = "slash:1") -> RunId:
    return await front(redis).accept(a_request(), source=source)


async def lease_has_run_out(redis: Redis, run: RunId) -> None:
    async def gone() -> bool:
        return not await redis.exists(keys.lease(run))

    await eventually(gone, 5)


async def now_ms(redis: Redis) -> int:
    seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def test_a_request_is_stored_queued_and_announced_at_once(redis: Redis) -> None:
    """One call leaves the event, the wake-up, the feed entry and the mark that it is open."""
    run = await accepted(redis)
    assert fold((await front(redis).read(run)).entries) is not None
    assert await redis.xlen(keys.queue(SITE)) == 1
    assert await redis.xlen(keys.FEED) == 1
    assert await redis.zscore(keys.unfinished(SITE), run) is not None


async def test_the_same_delivery_is_accepted_once(redis: Redis) -> None:
    """A repeated delivery leads to the same run and leaves nothing more behind, also at once."""
    runs = front(redis)
    results = await asyncio.gather(*(runs.accept(a_request(), source="slash:1") for _ in range(20)))
    assert len(set(results)) == 1
    assert await redis.xlen(keys.queue(SITE)) == 1


async def test_what_comes_too_late_is_not_accepted(redis: Redis) -> None:
    """A store that hung does not start what its asker was told is not accepted."""
    past = await now_ms(redis) - 1
    with pytest.raises(Retryable):
        await front(redis).accept(a_request(), source="slash:1", accept_by_ms=past)
    assert await redis.xlen(keys.queue(SITE)) == 0
    assert await redis.xlen(keys.FEED) == 0
    future = await now_ms(redis) + 10_000
    await front(redis).accept(a_request(), source="slash:1", accept_by_ms=future)
    assert await redis.xlen(keys.queue(SITE)) == 1


async def test_one_worker_holds_a_run(redis: Redis) -> None:
    """The second one that tries is refused, and what it would have written is not there."""
    run = await accepted(redis)
    runs = worker(redis)
    lease, journal = await runs.take(run, SITE)
    assert journal == await runs.read(run)
    with pytest.raises(LeaseLost):
        await runs.take(run, SITE)
    await runs.hold(lease, journal, Began("one"))
    assert (await runs.read(run)).version == 2


async def test_a_stalled_worker_can_write_nothing_more(redis: Redis) -> None:
    """After its lease has run out and another took over, it can neither write, renew nor release,
    although it has the same name and writes after the newest entry.
    """
    run = await accepted(redis)
    runs = worker(redis, lease_ms=50)
    stalled, _ = await runs.take(run, SITE)
    await lease_has_run_out(redis, run)
    fresh, journal = await worker(redis).take(run, SITE)
    assert fresh.token > stalled.token
    for attempt in (
        runs.hold(stalled, journal, Failed("late")),
        runs.hold(stalled, journal),
        runs.hold(stalled, journal, Succeeded(), then="closed"),
        runs.release(stalled, journal),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    assert (await runs.read(run)).version == journal.version
    await worker(redis).hold(fresh, journal, Succeeded(), then="closed")


async def test_each_write_renews_the_lease(redis: Redis) -> None:
    """Also one without an event; and it ends by itself when no more come."""
    run = await accepted(redis)
    runs = worker(redis)
    lease, journal = await runs.take(run, SITE)
    for events in ((), (Began("w"),)):
        await redis.pexpire(keys.lease(run), 1_000)
        journal = await runs.hold(lease, journal, *events)
        assert 1_000 < await redis.pttl(keys.lease(run)) <= runs.lease_ms


async def test_a_lease_that_ran_out_is_lost_even_if_nobody_took_it(redis: Redis) -> None:
    """A worker that comes back late has to take the run again like anybody else."""
    run = await accepted(redis)
    runs = worker(redis, lease_ms=30)
    lease, journal = await runs.take(run, SITE)
    await lease_has_run_out(redis, run)
    with pytest.raises(LeaseLost):
        await runs.hold(lease, journal, Succeeded(), then="closed")


async def test_who_decided_on_an_old_state_is_told_so(redis: Redis) -> None:
    """An append after entries that one has not seen is refused."""
    run = await accepted(redis)
    runs = worker(redis)
    lease, seen = await runs.take(run, SITE)
    journal = await runs.hold(lease, seen, Began("one"))
    with pytest.raises(Conflict):
        await front(redis).append(run, SITE, seen, Expired("nobody"), then="closed")
    with pytest.raises(Conflict):
        await runs.hold(lease, seen, Failed("old"))
    await runs.hold(lease, journal, Succeeded(), then="closed")


async def test_what_was_delivered_twice_is_appended_once(redis: Redis) -> None:
    """Whatever happened in between; another delivery is another matter."""
    run = await accepted(redis)
    runs = front(redis)
    journal = await runs.append(
        run, SITE, await runs.read(run), CancelAsked(BOB), then="open", source="click:1"
    )
    with pytest.raises(Known):
        await runs.append(run, SITE, journal, CancelAsked(BOB), then="open", source="click:1")
    assert (await runs.read(run)).version == journal.version
    await runs.append(run, SITE, journal, CancelAsked(BOB), then="open", source="click:2")
    assert (await runs.read(run)).version == journal.version + 1


async def test_the_end_gives_the_lease_back_and_closes_the_run(redis: Redis) -> None:
    """Nothing of a finished run is left to sweep or to hold."""
    run = await accepted(redis)
    runs = worker(redis)
    lease, journal = await runs.take(run, SITE)
    await runs.hold(lease, journal, Succeeded(), then="closed")
    assert not await redis.exists(keys.lease(run))
    assert await redis.zscore(keys.unfinished(SITE), run) is None
    state = fold((await runs.read(run)).entries)
    assert state is not None
    assert state.state is State.SUCCEEDED


async def test_a_run_at_its_end_cannot_be_taken(redis: Redis) -> None:
    """A wake-up that comes late finds nothing to do."""
    run = await accepted(redis)
    runs = worker(redis)
    lease, journal = await runs.take(run, SITE)
    await runs.hold(lease, journal, Succeeded(), then="closed")
    with pytest.raises(LeaseLost, match="closed"):
        await runs.take(run, SITE)


async def test_what_is_put_off_comes_last(redis: Redis) -> None:
    """A run that nobody can work on does not keep others from being found."""
    first, second = await accepted(redis, "1"), await accepted(redis, "2")
    queue = Queue(redis, SITE)
    await queue.open()
    await queue.wait(2, 200)
    later = await now_ms(redis) + SWEEP_AFTER_MS + 1
    assert set(await queue.sweep(later)) == {first, second}
    await queue.put_off(first, later)
    assert await queue.sweep(later) == [second]


async def test_a_lost_reply_is_no_reason_to_append_twice(
    redis: Redis, redis_server: RedisServer
) -> None:
    """The connection breaks after the store has appended: the worker finds its entry there."""
    run = await accepted(redis)
    flaky = _LosesReplies(connect(redis_server.url, redis_server.password))
    runs = Runs(flaky.client, WORKER, KEYRING)
    lease, journal = await runs.take(run, SITE)
    flaky.lose_next_reply()
    after = await runs.hold(lease, journal, Succeeded(), then="closed")
    assert flaky.lost == 1
    assert after.version == 2
    assert (await runs.read(run)).version == 2
    await flaky.client.aclose()


async def test_a_lost_reply_is_no_reason_to_refuse_a_request(
    redis: Redis, redis_server: RedisServer
) -> None:
    """The gate asks again, and finds what it has stored: one run."""
    flaky = _LosesReplies(connect(redis_server.url, redis_server.password))
    gate = StoreGate(flaky.client, Runs(flaky.client, FRONT, KEYRING), [SITE])
    await gate.follow_clock()
    flaky.lose_next_reply()
    run = await gate.accept(a_request(), source="slash:1")
    assert flaky.lost == 1
    assert fold((await front(redis).read(run)).entries) is not None
    assert await redis.xlen(keys.queue(SITE)) == 1
    await flaky.client.aclose()


class _LosesReplies:
    """A client whose next script call is carried out, and then fails like a broken connection."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        self.lost = 0
        self._lose = False
        self._execute = client.execute_command
        client.execute_command = self._call  # type: ignore[method-assign]

    def lose_next_reply(self) -> None:
        self._lose = True

    async def _call(self, *args: object, **options: object) -> object:
        reply = await self._execute(*args, **options)  # type: ignore[no-untyped-call]
        if self._lose and args[0] == "EVALSHA":
            self._lose = False
            self.lost += 1
            message = "connection reset"
            raise ConnectionResetError(message)
        return reply


async def test_a_wake_up_reaches_one_worker(redis: Redis) -> None:
    """Of two workers one receives it; a run that was woken lately is not swept."""
    run = await accepted(redis)
    one, two = Queue(redis, SITE), Queue(redis, SITE)
    await one.open()
    await two.open()
    received = await asyncio.gather(one.wait(1, 200), two.wait(1, 200))
    assert sorted(len(each) for each in received) == [0, 1]
    assert await one.sweep(await now_ms(redis)) == []
    assert await one.sweep(await now_ms(redis) + SWEEP_AFTER_MS + 1) == [run]


async def test_the_sweep_leaves_alone_what_is_held_or_on_its_way(redis: Redis) -> None:
    """While a wake-up waits, or a worker holds the run, nobody is woken again."""
    run = await accepted(redis)
    queue = Queue(redis, SITE)
    await queue.open()
    later = await now_ms(redis) + SWEEP_AFTER_MS + 1
    assert await queue.sweep(later) == []
    assert await queue.wait(1, 200) == [run]
    runs = worker(redis)
    lease, journal = await runs.take(run, SITE)
    assert await queue.sweep(later) == []
    await runs.release(lease, journal)
    assert await queue.sweep(await now_ms(redis) + SWEEP_AFTER_MS + 1) == [run]


async def test_a_swept_run_is_woken_and_then_left_for_a_while(redis: Redis) -> None:
    """The wake-up is in the queue, and the next sweep waits for it."""
    run = await accepted(redis)
    queue = Queue(redis, SITE)
    await queue.open()
    await queue.wait(1, 200)
    later = await now_ms(redis) + SWEEP_AFTER_MS + 1
    await queue.wake(run, later)
    assert await queue.wait(1, 200) == [run]
    assert await queue.sweep(later + 1) == []


async def test_a_dead_store_is_said_in_words(private_redis: RedisServer) -> None:
    """No redis exception leaves the adapter."""
    client = connect(private_redis.url, private_redis.password)
    runs = Runs(client, FRONT, KEYRING)
    await runs.read(RunId("r-00000000"))
    os.kill(private_redis.pid, signal.SIGKILL)
    with pytest.raises(InDoubt, match="does not answer"):
        await runs.accept(a_request(), source="slash:1")
    with contextlib.suppress(OSError):
        await client.aclose()
