"""What other programs say may hold a secret: none of it reaches the store."""

import logging

import pytest
from redis.asyncio import Redis

from bot.metrics import Metrics
from bot.redacting import RedactedLogs
from bot.store.queue import Queue
from bot.store.runs import Runs
from bot.worker import Worker
from procedures.model.errors import InDoubt, Permanent
from procedures.model.ids import MemberName, RunId
from procedures.model.probe import Fault, FaultKind
from procedures.model.redaction.redactor import Redactor
from procedures.model.run import State
from tests.integration.worker.team import BOB, SITE, Team, waiting_for_votes
from tests.integration.worker.test_worker import working
from tests.support.requests import a_request
from tests.support.signing import KEYRING, WORKER

SECRET = "correct horse battery staple"  # noqa: S105 - of the test's own
MARK = "[secret store-key]"
SAID = f"it said {SECRET}, and password=hunter22 too"
REDACTOR = Redactor({"store-key": SECRET.encode()})


def a_worker(team: Team) -> Worker:
    """One that knows a secret."""
    return Worker(
        name="w",
        site=SITE,
        runs=Runs(team.redis, WORKER, KEYRING),
        queue=Queue(team.redis, SITE),
        world=team.sight,
        metrics=Metrics(),
        redactor=REDACTOR,
    )


async def stored(redis: Redis) -> bytes:
    """All that is in the store, whatever its type."""
    found = []
    async for key in redis.scan_iter("*"):
        found += [key, await redis.dump(key) or b""]
        if await redis.type(key) == b"list":
            found += await redis.lrange(key, 0, -1)
    return b"\n".join(found)


async def nothing_leaked(team: Team, words: str) -> None:
    """Neither secret is in the store; `words` for them to be looked at are shown."""
    everything = await stored(team.redis)
    assert MARK in words
    assert MARK.encode() in everything
    assert SECRET.encode() not in everything
    assert b"hunter22" not in everything


async def boom(*_: object) -> None:
    raise Permanent(SAID)


async def test_a_refusal(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason why there is no plan."""
    monkeypatch.setattr(team.sight.etcd, "sample", boom)
    async with working(a_worker(team)):
        run = await team.reaches(await team.ask(), State.REFUSED)
    await nothing_leaked(team, run.error or "")


async def approved(team: Team) -> RunId:
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    return name


async def test_a_failure(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step ended with."""
    name = await approved(team)
    monkeypatch.setattr(team.sight.etcd, "update_peer_urls", boom)
    async with working(a_worker(team)):
        run = await team.reaches(name, State.FAILED)
    await nothing_leaked(team, run.error or "")


async def test_output(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of a step."""

    async def unsure(*_: object) -> None:
        raise InDoubt(SAID)

    name = await approved(team)
    monkeypatch.setattr(team.sight.etcd, "update_peer_urls", unsure)
    async with working(a_worker(team)):
        await team.reaches(name, State.FAILED)
    lines = await team.runs.output(name)
    await nothing_leaked(team, " ".join(line.text for line in lines))


async def test_an_answer(team: Team) -> None:
    """The report of a question, wherever in it."""
    team.sight.demo.members[MemberName("demo-3")].fault = Fault(FaultKind.SERVER, SAID)
    name = await team.runs.accept(a_request(), source="question")
    async with working(a_worker(team)):
        run = await team.reaches(name, State.SUCCEEDED)
    await nothing_leaked(team, str(run.answer))


def test_a_log_line() -> None:
    """Message, arguments and traceback."""
    error = ValueError(SAID)
    found = (type(error), error, None)
    record = logging.LogRecord("x", logging.ERROR, "x", 1, "it: %s", (SAID,), found)
    assert RedactedLogs(REDACTOR).filter(record)
    text = logging.Formatter().format(record)
    assert text.count(MARK) >= 2
    assert SECRET not in text
    assert "hunter22" not in text
