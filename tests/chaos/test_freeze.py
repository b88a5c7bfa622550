"""Processes that hang, which is worse than being dead: nobody restarts them, and they come back."""

import asyncio
from pathlib import Path

from bot.sandbox.ports import free_ports
from procedures.model.events import Answered
from tests.support.configs import changed
from tests.support.outcome import HEALTHY, each_is_answered_once, it_works
from tests.support.sandbox import Sandbox
from tests.support.store import began
from tests.support.waiting import eventually
from tests.support.workers import a_worker


async def first_verdict(sandbox: Sandbox) -> tuple[str, str]:
    """Ask for health, and wait for the first verdict; returns the moment before, and the run."""
    runs, since = await sandbox.store().runs(), await sandbox.accepted("health")
    (run,) = await sandbox.store().runs() - runs

    async def answered() -> bool:
        entries = (await sandbox.store().journal(run)).entries
        return any(isinstance(entry.event, Answered) for entry in entries)

    await eventually(answered)
    return since, run


async def lease_has_run_out(sandbox: Sandbox, run: str) -> None:
    async def free() -> bool:
        return not await sandbox.store().leased(run)

    await eventually(free, 15, "the lease has run out")


async def test_a_worker_that_hangs_for_longer_than_its_lease(sandbox: Sandbox) -> None:
    """When it comes back it may write nothing more; the run is taken up anew, and ends once."""
    since, run = await first_verdict(sandbox)
    with sandbox.processes.frozen("worker"):
        await lease_has_run_out(sandbox, run)
        before = await sandbox.store().journal(run)
    (answer,) = await each_is_answered_once(sandbox, since, 1)
    assert answer.run == run
    after = await sandbox.store().journal(run)
    assert began(after) == 2
    assert after.entries[: len(before.entries)] == before.entries
    await it_works(sandbox)


async def test_another_worker_takes_over(sandbox: Sandbox, tmp_path: Path) -> None:
    """It answers while the first hangs; the first, when it comes back, changes nothing."""
    (port,) = free_ports(1)
    changes = {"listen.worker": f"127.0.0.1:{port}"}
    config = changed(sandbox.config_path, tmp_path / "second.yaml", changes)
    log = sandbox.directory / "log" / "worker.log"
    since, run = await first_verdict(sandbox)
    with sandbox.processes.frozen("worker"):
        async with a_worker(config, tmp_path / "second.log"):
            (answer,) = await each_is_answered_once(sandbox, since, 1)
            journal = await sandbox.store().journal(run)
            noted = len(log.read_text())
    await eventually(lambda: run in log.read_text()[noted:], 20, "the first worker lets go")
    assert answer.run == run
    assert began(journal) == 2
    assert await sandbox.store().journal(run) == journal
    assert await sandbox.answers(since) == [answer]
    assert not await sandbox.store().leased(run)
    await it_works(sandbox)


async def test_a_redis_that_hangs(sandbox: Sandbox) -> None:
    """Commands are refused with words and in time, and are not carried out afterwards either."""
    runs, since = await sandbox.store().runs(), await sandbox.moment()
    with sandbox.processes.frozen("redis"):
        for text in ("health", "members", "health demo"):
            ack = await sandbox.command("alice", "ops", text)
            assert ack.acked
            assert ack.ms < 3_000
            assert (ack.words or "").startswith("Not accepted: ")
            assert "Nothing was started" in (ack.words or "")

        async def front_says_so() -> bool:
            status = await sandbox.status("front", "readyz")
            return status.code == 503 and "redis" in status.text

        await eventually(front_says_so, 10, "/readyz names redis")
        assert (await sandbox.status("front", "livez")).code == 200
        help_text = await sandbox.command("alice", "ops", "help")
        assert (help_text.words or "").startswith("*/etcd*")
    await eventually(sandbox.is_ready, 20, "front and worker are ready again")
    later = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    await eventually(sandbox.store().idle, 20, "nothing more is under way")
    assert await sandbox.store().runs() - runs == {later.run}
    assert await sandbox.answers(since) == [later]


async def test_a_redis_that_hangs_about_as_long_as_a_front_waits(sandbox: Sandbox) -> None:
    """However close it is: what was accepted is answered, and what was not never is."""
    for delay_s in (0.8, 1.3, 1.45, 1.5, 1.55, 1.7):
        runs, since = await sandbox.store().runs(), await sandbox.moment()
        with sandbox.processes.frozen("redis"):
            asked = asyncio.create_task(sandbox.command("alice", "ops", "members"))
            await asyncio.sleep(delay_s)
        ack = await asked
        assert ack.acked
        assert (ack.words or "Not accepted: ").startswith("Not accepted: ")
        await eventually(sandbox.is_ready, 20, "front and worker are ready again")
        if ack.words is None:
            await each_is_answered_once(sandbox, since, 1)
        await it_works(sandbox)
        expected = 1 + (ack.words is None)
        assert len(await sandbox.answers(since)) == expected
        assert len(await sandbox.store().runs() - runs) == expected


async def test_a_redis_that_hangs_during_a_run(sandbox: Sandbox) -> None:
    """For less than a lease: the worker goes on; for more: the run is taken up anew."""
    for delay_s in (2.0, 8.0):
        since, run = await first_verdict(sandbox)
        with sandbox.processes.frozen("redis"):
            await asyncio.sleep(delay_s)
        (answer,) = await each_is_answered_once(sandbox, since, 1)
        assert answer.headline == HEALTHY
        assert answer.run == run
    await it_works(sandbox)


async def test_a_front_that_hangs_during_a_run(sandbox: Sandbox) -> None:
    """Its lease on the messages runs out; back again, it shows the end in the same message."""
    since = await sandbox.accepted("health")
    first = await sandbox.wait_for_answer(since, final=False)
    (run,) = [name for name in await sandbox.store().runs() if name == first.run]
    with sandbox.processes.frozen("front"):

        async def ended() -> bool:
            return (await sandbox.store().journal(run)).entries[-1].event.kind == "succeeded"

        await eventually(ended, 20, "the worker has answered")
    (answer,) = await each_is_answered_once(sandbox, since, 1)
    assert answer.ts == first.ts
    await it_works(sandbox)
