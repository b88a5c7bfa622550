"""Who is expected, from run to run: recorded by one worker, and believed or not by others."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest_asyncio
from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import connect
from bot.store.runs import Runs
from bot.undoing import undoing
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName, RunId
from procedures.model.report import HealthReport, Verdict
from procedures.model.run import Run, State
from tests.integration.worker.team import BOB, CAROL, Team
from tests.integration.worker.test_worker import a_worker, ended, working
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.sight import a_sight
from tests.support.signing import KEYRING, STRANGER

DEMO = ClusterName("demo")


@pytest_asyncio.fixture
async def team(redis_server: RedisServer) -> AsyncIterator[Team]:
    """demo-3 was removed by hand."""
    client = connect(redis_server.url, redis_server.password)
    team = Team(client, a_sight())
    del team.sight.demo.members[MemberName("demo-3")]
    yield team
    await client.aclose()


async def recorded(redis: Redis) -> Expected:
    """As a process that begins now reads it."""
    return (await Runs(redis, STRANGER, KEYRING).expected.read(DEMO)).expected


async def carried_out(team: Team, members: str | None = None) -> Run:
    """`/etcd expect`, with the approval of two."""
    request = a_request("etcd expect")
    if members:
        request = replace(request, args={**request.args, "members": members})
    team.asked += 1
    name = await team.runs.accept(request, source=f"{team.asked}")
    async with team.working():
        await team.reaches(name, State.WAITING_FOR_APPROVAL)
        await team.vote(name, BOB)
        if (await team.run(name)).state is State.WAITING_FOR_APPROVAL:
            await team.vote(name, CAROL)
        run = await team.reaches(name, State.SUCCEEDED, State.FAILED)
    assert run.error is None
    return run


async def health(team: Team) -> HealthReport:
    """What a worker says that begins now."""
    team.asked += 1
    name = await team.runs.accept(a_request(), source=f"{team.asked}")
    async with working(a_worker(team.redis, team.sight)):
        run = await ended(team.redis, name)
    assert isinstance(run.answer, HealthReport)
    return run.answer


def figures(report: HealthReport) -> list[str]:
    return [f"{each.name}: {each.text}" for each in report.figures if each.level == "warn"]


async def test_what_was_recorded_counts_for_all_that_follows(team: Team) -> None:
    """Before, a member is missing; after, none is, also for workers that begin later."""
    assert figures(await health(team)) == ["member list: demo-3 is expected and not in it"]
    run = await carried_out(team)
    report = await health(team)
    assert (report.verdict, figures(report)) == (Verdict.HEALTHY, [])
    found = await recorded(team.redis)
    assert (found.version, found.run) == (1, run.id)
    assert list(found.members or ()) == ["demo-1", "demo-2"]


async def test_it_is_taken_back_by_a_request(team: Team) -> None:
    """With the former members as its argument; then demo-3 is missing again."""
    run = await carried_out(team)
    ((_, typed, request),) = undoing(run, run.request.requester, None).requests
    assert typed.startswith("/etcd expect --members demo-1=https://")
    await carried_out(team, str(request.args["members"]))
    assert figures(await health(team)) == ["member list: demo-3 is expected and not in it"]
    assert (await recorded(team.redis)).version == 2


async def test_a_forged_record_is_said_and_replaced(team: Team) -> None:
    """Somebody scribbles: the configuration counts, in words, until a run puts it right."""
    await carried_out(team)
    await team.redis.set(keys.expected(DEMO), b"c2NyaWJibGU= {}")
    said = figures(await health(team))
    assert said[0].startswith("record of expected members: not believed: it cannot be read.")
    assert said[1] == "member list: demo-3 is expected and not in it"
    await carried_out(team)
    assert figures(await health(team)) == []


async def test_a_record_that_is_rolled_back_under_a_worker(team: Team) -> None:
    """The worker that has read the newer one believes neither that nor any older one."""
    first = await carried_out(team)
    old = await team.redis.get(keys.expected(DEMO))
    assert old is not None
    _, _, request = undoing(first, first.request.requester, None).requests[0]
    await carried_out(team, str(request.args["members"]))
    async with working(a_worker(team.redis, team.sight)):
        for put, said in ((None, False), (old, True)):
            if put is not None:
                await team.redis.set(keys.expected(DEMO), put)
            team.asked += 1
            name = await team.runs.accept(a_request(), source=f"{team.asked}")
            answer = (await ended(team.redis, RunId(name))).answer
            assert isinstance(answer, HealthReport)
            words = "not believed: it is version 1, and version 2 was there before"
            assert any(words in each for each in figures(answer)) is said
