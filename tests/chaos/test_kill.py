"""Front, worker and Redis are killed in the middle of runs: each run is answered exactly once."""

import asyncio
import signal
import time

import pytest

from procedures.model.events import Answered
from tests.support.outcome import each_is_answered_once, it_works
from tests.support.sandbox import Sandbox
from tests.support.store import began, ends
from tests.support.waiting import eventually

PARTS = ("front", "worker", "redis")
HALF_THE_GAP_S, NEARLY_THE_GAP_S = 2.5, 4.7
"""After the first verdict; the second sample is taken 5 s after it."""


async def since_first_verdict(sandbox: Sandbox, run: str, seconds: float) -> None:
    """Wait until the first verdict of a run is so old."""
    found: list[float] = []

    async def answered() -> bool:
        entries = (await sandbox.store().journal(run)).entries
        found[:] = [entry.at_ms / 1_000 for entry in entries if isinstance(entry.event, Answered)]
        return bool(found)

    await eventually(answered)
    await asyncio.sleep(max(0.0, found[0] + seconds - time.time()))


@pytest.mark.parametrize("parts", [("front",), ("worker",), ("redis",), PARTS], ids="+".join)
async def test_killed_during_runs(sandbox: Sandbox, parts: tuple[str, ...]) -> None:
    """All are answered, once each, within a minute; what comes later works.

    One run is just before its second sample, one after its first verdict, and one has only just
    been acknowledged.
    """
    runs, since = await sandbox.store().runs(), await sandbox.accepted("health")
    (oldest,) = await sandbox.store().runs() - runs
    await since_first_verdict(sandbox, oldest, HALF_THE_GAP_S)
    await sandbox.accepted("health", "bob")
    await since_first_verdict(sandbox, oldest, NEARLY_THE_GAP_S)
    await sandbox.accepted("health", "carol")
    killed = {name: sandbox.processes.send(name, signal.SIGKILL) for name in parts}
    for name, pid in killed.items():
        await sandbox.processes.replaced(name, pid)
    await each_is_answered_once(sandbox, since, 3)
    await it_works(sandbox)


@pytest.mark.parametrize("part", PARTS)
async def test_killed_right_after_an_acknowledgement(sandbox: Sandbox, part: str) -> None:
    """The moment at which a command is nowhere but in the store."""
    since = await sandbox.accepted("members")
    await sandbox.processes.kill(part)
    await each_is_answered_once(sandbox, since, 1)
    await it_works(sandbox)


async def test_a_worker_that_is_told_to_stop_finishes_first(sandbox: Sandbox) -> None:
    """After SIGTERM a run in hand is brought to its end by the same worker."""
    since = await sandbox.accepted("health")
    await sandbox.wait_for_answer(since, final=False)
    pid = sandbox.processes.send("worker", signal.SIGTERM)
    (answer,) = await each_is_answered_once(sandbox, since, 1)
    assert began(await sandbox.store().journal(answer.run)) == 1
    await sandbox.processes.replaced("worker", pid)
    await it_works(sandbox)


async def test_a_front_that_is_told_to_stop_hands_over(sandbox: Sandbox) -> None:
    """After SIGTERM the next front goes on with the same message."""
    since = await sandbox.accepted("health")
    first = await sandbox.wait_for_answer(since, final=False)
    pid = sandbox.processes.send("front", signal.SIGTERM)
    await sandbox.processes.replaced("front", pid, 10)
    (answer,) = await each_is_answered_once(sandbox, since, 1)
    assert answer.ts == first.ts
    await it_works(sandbox)


async def test_redis_killed_while_nothing_runs(sandbox: Sandbox) -> None:
    """A command right after it is accepted, or refused with words; nothing in between."""
    runs, since = await sandbox.store().runs(), await sandbox.moment()
    pid = sandbox.processes.send("redis", signal.SIGKILL)
    accepted = 0
    for _ in range(3):
        ack = await sandbox.command("alice", "ops", "members")
        assert ack.acked
        assert ack.ms < 3_000
        assert (ack.words or "Not accepted: ").startswith("Not accepted: ")
        accepted += ack.words is None
    await sandbox.processes.replaced("redis", pid)
    await sandbox.wait_for_answers(accepted, since)
    await it_works(sandbox)
    assert len(await sandbox.answers(since)) == accepted + 1
    assert len(await sandbox.store().runs() - runs) == accepted + 1


async def test_a_question_that_loses_its_workers(sandbox: Sandbox) -> None:
    """After three it is given up, in words and with what was learnt; the next is answered."""
    runs, since = await sandbox.store().runs(), await sandbox.accepted("health")
    (run,) = await sandbox.store().runs() - runs
    for attempt in (1, 2, 3):

        async def taken(attempt: int = attempt) -> bool:
            return began(await sandbox.store().journal(run)) == attempt

        await eventually(taken, 30, f"attempt {attempt}")
        await sandbox.processes.kill("worker")
    answer = await sandbox.wait_for_answer(since)
    assert answer.headline.startswith("demo: failed, given up: 3 workers were lost over it.")
    assert answer.run == run
    assert ends(await sandbox.store().journal(run)) == 1
    await it_works(sandbox)
