"""A paused cluster: what is approved waits, what is under way goes on."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.deciding import Decisions
from bot.pausing import obstacle
from bot.store import keys
from bot.store.connection import connect
from bot.store.pauses import Pause, Pauses
from bot.store.runs import Runs
from procedures.model.events import Began, CancelAsked, Failed, Held, Planned, Resumed, Started
from procedures.model.ids import ClusterName, RunId, UserId
from procedures.model.probe import Sample
from procedures.model.run import Run, State, fold
from tests.integration.worker.saving import a_saving_sight
from tests.integration.worker.test_worker import a_worker, working
from tests.support.made_runs import BOB, REQUEST, START_MS, a_plan, a_run, approved
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.sight import FakeSight
from tests.support.signing import FRONT, KEYRING
from tests.support.waiting import eventually

DEMO = ClusterName("demo")
PLAN = a_plan()


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    await Pauses(client).begin(DEMO, Pause(BOB, 0))
    yield client
    await client.aclose()


async def eligible(users: Iterable[UserId]) -> frozenset[UserId]:
    return frozenset(users)


async def the_run(redis: Redis, name: RunId) -> Run:
    run = fold((await Runs(redis, FRONT, KEYRING).read(name)).entries)
    assert run is not None
    return run


async def reaches(redis: Redis, name: RunId, state: State, *, held: bool = False) -> None:
    async def there() -> bool:
        run = await the_run(redis, name)
        return run.state is state and (run.held is not None) is held

    await eventually(there, 15, f"{name} is {state}")


async def asked(redis: Redis) -> RunId:
    request = a_request("etcd member fix-peer-url")
    args = {**request.args, "member": "demo-1", "url": "https://10.9.9.9:2380"}
    return await Runs(redis, FRONT, KEYRING).accept(replace(request, args=args), source="1")


async def is_approved(redis: Redis, name: RunId) -> None:
    await reaches(redis, name, State.WAITING_FOR_APPROVAL)
    plan = (await the_run(redis, name)).plan
    assert plan is not None
    await Decisions(Runs(redis, FRONT, KEYRING), {}).vote(
        name, BOB, "approve", plan.digest, eligible
    )


async def takes(redis: Redis) -> int:
    """How often workers took a run in hand."""
    return int(await redis.get(keys.FENCES) or 0)


def url(sight: FakeSight) -> tuple[str, ...]:
    return next(iter(sight.demo.members.values())).peer_urls


async def test_a_pause_that_comes_while_it_is_planned_again(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was ready when a worker took it, and begins no step all the same."""
    await Pauses(redis).end(DEMO)
    sight = a_saving_sight()
    sample = sight.etcd.sample
    name = await asked(redis)

    async def looking(*args: object) -> Sample:
        if (await the_run(redis, name)).decided is not None:
            await Pauses(redis).begin(DEMO, Pause(BOB, 0))
        return await sample(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sight.etcd, "sample", looking)
    async with working(a_worker(redis, sight)):
        await is_approved(redis, name)
        await reaches(redis, name, State.QUEUED, held=True)
    run = await the_run(redis, name)
    assert "The cluster is paused" in str(run.held)
    assert not run.steps


async def test_an_approved_run_waits_for_the_end_of_the_pause(redis: Redis) -> None:
    """It is planned and voted on; then it is said once why it waits, and nothing is changed."""
    name, sight = await asked(redis), a_saving_sight()
    before = url(sight)
    async with working(a_worker(redis, sight)):
        await is_approved(redis, name)
        await reaches(redis, name, State.QUEUED, held=True)
        taken = await takes(redis)

        async def looked_at_again() -> bool:
            return await takes(redis) >= taken + 2

        await eventually(looked_at_again, 15, "workers look at it again")
        entries = (await Runs(redis, FRONT, KEYRING).read(name)).entries
        assert [type(entry.event) for entry in entries].count(Held) == 1
        assert url(sight) == before
        await Pauses(redis).end(DEMO)
        await reaches(redis, name, State.SUCCEEDED)
    assert url(sight) == ("https://10.9.9.9:2380",)


async def test_a_run_that_waited_too_long_expires(redis: Redis) -> None:
    """Its approval is good for a while only, also while the cluster is paused."""
    name, sight = await asked(redis), a_saving_sight()
    before = url(sight)
    async with working(a_worker(redis, sight)):
        await is_approved(redis, name)
        await reaches(redis, name, State.QUEUED, held=True)
        decided = (await the_run(redis, name)).decided
        assert decided is not None
        sight.clock.ms = decided.not_after_ms + 1
        await eventually(lambda: is_over(redis, name), 15, "it expires")
    run = await the_run(redis, name)
    assert (run.state, url(sight)) == (State.EXPIRED, before)


async def is_over(redis: Redis, name: RunId) -> bool:
    return (await the_run(redis, name)).state.final


async def test_a_run_that_waits_can_be_cancelled(redis: Redis) -> None:
    """At once, by a worker, and nothing was done."""
    name, sight = await asked(redis), a_saving_sight()
    async with working(a_worker(redis, sight)):
        await is_approved(redis, name)
        await reaches(redis, name, State.QUEUED, held=True)
        await Decisions(Runs(redis, FRONT, KEYRING), {}).cancel(name, BOB, eligible)
        await eventually(lambda: is_over(redis, name), 15, "it is cancelled")
    run = await the_run(redis, name)
    assert (run.state, run.error) == (State.CANCELLED, "nothing was done.")


LATE_MS = START_MS + 3_600_000
FREE = {
    "not planned": (a_run(Began("w")), START_MS),
    "under way": (a_run(*approved(PLAN), Started(1, 1)), START_MS),
    "resumed": (
        a_run(*approved(PLAN), Started(1, 1), Failed("it broke.", 1), Resumed(BOB)),
        START_MS,
    ),
    "only a plan": (a_run(Planned(PLAN, 1), request=replace(REQUEST, plan_only=True)), START_MS),
    "to be cancelled": (a_run(*approved(PLAN), CancelAsked(BOB)), START_MS),
    "too late": (a_run(*approved(PLAN)), LATE_MS + 1),
}


@pytest.mark.parametrize("case", FREE)
async def test_what_a_pause_leaves_alone(redis: Redis, case: str) -> None:
    """Whatever has begun, and whatever changes nothing or comes to its end."""
    run, now_ms = FREE[case]
    assert await obstacle(run, Runs(redis, FRONT, KEYRING), now_ms) is None


async def test_what_it_stops(redis: Redis) -> None:
    """Every other run that goes by a plan, with or without an approval; it is said until when."""
    runs = Runs(redis, FRONT, KEYRING)
    assert await obstacle(a_run(*approved(PLAN)), runs, LATE_MS) == (
        "The cluster is paused: this begins when the pause has ended, or expires at 08:00 UTC."
    )
    assert await obstacle(a_run(Planned(PLAN, 0)), runs, LATE_MS) == (
        "The cluster is paused: this begins when the pause has ended."
    )
    await Pauses(redis).end(DEMO)
    assert await obstacle(a_run(*approved(PLAN)), runs, START_MS) is None
