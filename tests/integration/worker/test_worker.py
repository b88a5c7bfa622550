"""A worker on a real Redis, looking at a fake cluster."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from bot.metrics import Metrics
from bot.store import keys
from bot.store.connection import connect
from bot.store.queue import Queue
from bot.store.runs import Runs
from bot.worker import ATTEMPTS, Worker
from procedures.model.events import Began, Requested
from procedures.model.ids import RunId, Site
from procedures.model.report import HealthReport, Verdict
from procedures.model.run import Run, State, fold
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.sight import FakeSight, a_sight
from tests.support.signing import FRONT, KEYRING, STRANGER, WORKER
from tests.support.waiting import eventually

SITE = Site("default")


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


def a_worker(redis: Redis, sight: FakeSight, *, lease_ms: int = 6_000, name: str = "w") -> Worker:
    return Worker(
        name=name,
        site=SITE,
        runs=Runs(redis, WORKER, KEYRING, lease_ms=lease_ms),
        queue=Queue(redis, SITE),
        world=sight,
        metrics=Metrics(),
    )


@contextlib.asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.drain()
        async with asyncio.timeout(10):
            await task


async def asked(redis: Redis, request: Requested | None = None, source: str = "1") -> RunId:
    runs = Runs(redis, FRONT, KEYRING)
    return await runs.accept(request or a_request(), source=source)


async def ended(redis: Redis, name: RunId) -> Run:
    found: list[Run] = []

    async def final() -> bool:
        run = fold((await Runs(redis, FRONT, KEYRING).read(name)).entries)
        if run is not None and run.state.final:
            found.append(run)
        return bool(found)

    await eventually(final, 15, f"the end of {name}")
    return found[0]


async def test_a_question_is_answered(redis: Redis) -> None:
    """The run ends with the last answer, taken up once."""
    name = await asked(redis)
    async with working(a_worker(redis, a_sight())):
        run = await ended(redis, name)
    assert (run.state, run.attempts) == (State.SUCCEEDED, 1)
    assert isinstance(run.answer, HealthReport)
    assert run.answer.verdict is Verdict.HEALTHY


async def test_many_questions_are_answered_once_each(redis: Redis) -> None:
    """Two workers, thirty questions: each has one answer and was taken up once."""
    names = [await asked(redis, source=str(n)) for n in range(30)]
    sight = a_sight()
    async with working(a_worker(redis, sight, name="a")), working(a_worker(redis, sight, name="b")):
        runs = [await ended(redis, name) for name in names]
    assert {(run.state, run.attempts) for run in runs} == {(State.SUCCEEDED, 1)}


async def test_a_run_whose_worker_was_lost_is_taken_over(redis: Redis) -> None:
    """A lease that nobody renews runs out, and the sweep finds the run."""
    name = await asked(redis)
    lost = Runs(redis, WORKER, KEYRING, lease_ms=100)
    await lost.hold(*await lost.take(name, SITE), Began("lost"))
    await redis.delete(keys.queue(SITE))
    async with working(a_worker(redis, a_sight())):
        run = await ended(redis, name)
    assert (run.state, run.attempts) == (State.SUCCEEDED, 2)


async def test_a_question_that_kills_workers_is_given_up(redis: Redis) -> None:
    """After three workers were lost over it, the asker is told."""
    name = await asked(redis)
    runs = Runs(redis, WORKER, KEYRING)
    for _ in range(ATTEMPTS):
        await runs.hold(*await runs.take(name, SITE), Began("lost"))
        await redis.delete(keys.lease(name))
    async with working(a_worker(redis, a_sight())):
        run = await ended(redis, name)
    assert run.state is State.FAILED
    assert run.error == "given up: 3 workers were lost over it. See their logs."


async def test_what_cannot_be_answered_is_said(redis: Redis) -> None:
    """A member that is not in the list, a command and a cluster that this worker does not know."""
    members = Requested(
        **{f: getattr(a_request(), f) for f in ("cluster", "site", "requester", "channel")},
        command="etcd members",
        args={"cluster": "demo", "member": "demo-4"},
    )
    no_member = await asked(redis, members, "1")
    no_command = await asked(redis, a_request("etcd dance"), "2")
    no_cluster = await asked(redis, a_request(cluster="other"), "3")
    async with working(a_worker(redis, a_sight())):
        errors = [(await ended(redis, name)).error for name in (no_member, no_command, no_cluster)]
    assert errors == [
        "There is no member 'demo-4'. Did you mean demo-3? The members are demo-1, demo-2, demo-3.",
        "this worker does not know that request: front and worker differ in version.",
        "this worker's configuration has no cluster other.",
    ]


async def test_a_surprise_ends_in_words(redis: Redis) -> None:
    """A bug is logged by the worker, and the asker is not left without a word."""
    sight = a_sight()
    sight.etcd.clusters.clear()
    name = await asked(redis)
    async with working(a_worker(redis, sight)):
        run = await ended(redis, name)
    assert run.error == "something went wrong inside the worker. Its log says what."


async def test_a_forged_request_starts_nothing(redis: Redis) -> None:
    """Somebody writes a request straight into the store, signed by nobody who is trusted."""
    forged = await Runs(redis, STRANGER, KEYRING).accept(a_request(), source="forged")
    honest = await asked(redis, source="honest")
    async with working(a_worker(redis, a_sight())):
        await ended(redis, honest)
    assert (await Runs(redis, FRONT, KEYRING).read(forged)).version == 1


async def test_a_finished_run_is_not_started_again(redis: Redis) -> None:
    """Somebody with access to the store puts it back among the open ones, and wakes a worker."""
    async with working(a_worker(redis, a_sight())):
        name = await asked(redis)
        await ended(redis, name)
        version = (await Runs(redis, FRONT, KEYRING).read(name)).version
        for _ in range(3):
            await redis.zadd(keys.unfinished(SITE), {name: 0})
            await redis.xadd(keys.queue(SITE), {"run": name})
            await ended(redis, await asked(redis, source=f"after-{_}"))
    assert (await Runs(redis, FRONT, KEYRING).read(name)).version == version
    assert await redis.zscore(keys.unfinished(SITE), name) is None


async def test_an_old_question_is_not_answered(redis: Redis) -> None:
    """Who asked ten minutes ago is told to ask again."""
    ten_minutes_ago = lambda: time.time_ns() // 1_000_000 - 600_000  # noqa: E731
    runs = Runs(redis, FRONT, KEYRING, now_ms=ten_minutes_ago)
    name = await runs.accept(a_request(), source="old")
    async with working(a_worker(redis, a_sight())):
        run = await ended(redis, name)
    assert run.error == "it was asked more than 5 minutes ago. Ask again."


async def test_a_store_that_is_silent_for_longer_than_a_lease(private_redis: RedisServer) -> None:
    """The worker lives on, and the run is answered when the store is back."""
    async with connect(private_redis.url, private_redis.password) as redis:
        sight = a_sight()
        worker = a_worker(redis, sight, lease_ms=900)
        async with working(worker):
            await eventually(lambda: worker.fault is None, 5)
            name = await asked(redis)
            os.kill(private_redis.pid, signal.SIGSTOP)
            await eventually(lambda: worker.fault is not None, 10, "it notices")
            await asyncio.sleep(1.5)  # longer than the lease
            os.kill(private_redis.pid, signal.SIGCONT)
            run = await ended(redis, name)
    assert run.state is State.SUCCEEDED


async def test_a_worker_that_drains_finishes_what_it_has(redis: Redis) -> None:
    """Told to stop in the middle of an answer, it gives that answer, and takes nothing new."""
    sight = a_sight()
    in_the_middle, go_on = asyncio.Event(), asyncio.Event()
    sleep = sight.clock

    class Slow:
        def now_ms(self) -> int:
            return sleep.now_ms()

        async def sleep_ms(self, duration_ms: int) -> None:
            in_the_middle.set()
            await go_on.wait()
            await sleep.sleep_ms(duration_ms)

    worker = a_worker(redis, sight)
    sight.clock = Slow()  # type: ignore[assignment]
    name = await asked(redis)
    task = asyncio.create_task(worker.run())
    await in_the_middle.wait()
    worker.drain()
    later = await asked(redis, source="later")
    go_on.set()
    async with asyncio.timeout(10):
        await task
    assert (await ended(redis, name)).state is State.SUCCEEDED
    after = fold((await Runs(redis, FRONT, KEYRING).read(later)).entries)
    assert after is not None
    assert after.state is State.QUEUED


async def test_a_worker_waits_for_a_queue_that_lost_everything(redis: Redis) -> None:
    """The store was emptied under it: it makes the group again and goes on."""
    async with working(a_worker(redis, a_sight())):
        await ended(redis, await asked(redis, source="1"))
        await redis.flushall()
        run = await ended(redis, await asked(redis, source="2"))
    assert run.state is State.SUCCEEDED
