"""A step that is tried again, on a real Redis: by the same worker, by another, or not any more."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.deciding import Decisions
from bot.run_data import run_data
from bot.store import keys
from bot.store.connection import connect
from bot.store.runs import Runs
from bot.targets.backups.intake import ended as closing
from bot.targets.backups.memory import MemoryBackups, fake_snapshot
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.model.errors import Retryable
from procedures.model.events import Began, Planned, PutOff, Started, Took
from procedures.model.ids import RunId, Site
from procedures.model.inventory import Cluster
from procedures.model.plan import Retries
from procedures.model.run import Run, State, StepState, fold
from procedures.model.snapshot import Origin, Snapshot
from tests.integration.worker.team import ALICE, eligible
from tests.integration.worker.test_worker import a_worker, asked, ended, working
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.sight import FakeSight, a_sight
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

SITE = Site("default")
AWAY = "The place for backups is out of reach."


@dataclass(slots=True)
class Away(MemoryBackups):
    """A place for backups that cannot be reached for so many calls."""

    calls: int = 0

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        self.calls -= 1
        self.fault = Retryable(AWAY) if self.calls >= 0 else None
        async with closing(chunks):
            return await MemoryBackups.save(self, cluster, origin, readable(origin))


async def readable(origin: Origin) -> AsyncIterator[bytes]:
    """What is taken for a snapshot here."""
    yield fake_snapshot(origin.revision)


def quickly(monkeypatch: pytest.MonkeyPatch, wait_ms: int) -> None:
    monkeypatch.setattr(SaveSnapshot, "RETRIES", Retries(3, wait_ms))


def away_for(calls: int) -> FakeSight:
    sight = a_sight()
    sight.backups = Away(sight.clock, calls=calls)
    return sight


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


async def read(redis: Redis, name: RunId) -> Run:
    run = fold((await Runs(redis, FRONT, KEYRING).read(name)).entries)
    assert run is not None
    return run


async def put_off(redis: Redis, name: RunId) -> None:
    async def there() -> bool:
        steps = (await read(redis, name)).steps
        return 1 in steps and steps[1].state is StepState.PUT_OFF

    await eventually(there, 15, "the first step is put off")


async def attempts_said(redis: Redis, name: RunId) -> list[str]:
    lines = await Runs(redis, FRONT, KEYRING).output(name)
    return [line.text for line in lines if line.text.startswith("attempt ")]


async def test_the_same_worker_tries_again(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt is counted for scripts, and said with why in the output."""
    quickly(monkeypatch, 20)
    name = await asked(redis, a_request("etcd backup"))
    async with working(a_worker(redis, away_for(2))):
        run = await ended(redis, name)
    assert (run.state, run.error, run.attempts) == (State.SUCCEEDED, None, 1)
    data = run_data(run)
    assert isinstance(data, dict)
    assert [step["attempts"] for step in data["steps"]] == [3, 1]
    assert await attempts_said(redis, name) == [
        f"attempt 2 of 3: {AWAY}",
        f"attempt 3 of 3: {AWAY}",
    ]


async def test_a_worker_that_is_lost_in_the_wait(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one goes on with the second of three attempts, and gives up after the third."""
    quickly(monkeypatch, 20)
    request = a_request("etcd backup")
    sight = away_for(9)
    plan = await draft(PROCEDURES[request.command], request, sight)
    name = await asked(redis, request)
    lost = Runs(redis, WORKER, KEYRING, lease_ms=100)
    lease, journal = await lost.take(name, SITE)
    journal = await lost.hold(lease, journal, Began("lost"), Planned(plan, 0), lock=plan.lock)
    turn = Took(await lost.turn(plan.lock))
    put_off = PutOff(1, 1, 3, 20, AWAY)
    await lost.hold(lease, journal, turn, Started(1, 1), put_off)
    await redis.delete(keys.queue(SITE))
    async with working(a_worker(redis, sight)):
        run = await ended(redis, name)
    assert (run.state, run.attempts) == (State.FAILED, 2)
    assert run.error == f"step 1: {AWAY} Tried 3 times."
    assert run.steps[1].attempts == 3
    assert await attempts_said(redis, name) == [f"attempt 3 of 3: {AWAY}"]


async def test_a_cancel_in_the_wait(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for."""
    quickly(monkeypatch, 3_600_000)
    name = await asked(redis, a_request("etcd backup"))
    async with working(a_worker(redis, away_for(9), lease_ms=900)):
        await put_off(redis, name)
        await Decisions(Runs(redis, FRONT, KEYRING), {}).cancel(name, ALICE, eligible)
        run = await ended(redis, name)
    assert (run.state, run.error) == (State.CANCELLED, "nothing was done.")
    assert run.steps[1].attempts == 1
