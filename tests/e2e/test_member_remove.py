"""Removing a dead member of a real cluster: snapshot, votes, refusals, and a killed worker."""

import asyncio

import pytest

from tests.e2e.conftest import MakeSandbox
from tests.support.run_messages import click, in_state, messages_of_runs
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually

REMOVE = "member remove demo-3 --reason 'its disk died'"


async def members(sandbox: Sandbox) -> list[str]:
    answer = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    return [row[0] for row in answer.table[1:]]


async def with_demo_3_dead(make_sandbox: MakeSandbox) -> Sandbox:
    sandbox = await make_sandbox()
    await sandbox.cluster("demo-3", "stop")
    return sandbox


async def test_a_dead_member_is_removed(make_sandbox: MakeSandbox) -> None:
    """Only bob and carol together; a verified snapshot comes first; two healthy are left."""
    sandbox = await with_demo_3_dead(make_sandbox)
    since = await sandbox.moment()
    await sandbox.accepted(REMOVE)
    asked = await in_state(sandbox, "Waiting for approval", since)
    assert asked.text.startswith("Waiting for approval: Remove member demo-3 from demo (run r-")
    assert (asked.payload["votes"], asked.payload["needed"]) == (0, 2)
    for user in ("dave", "alice", "mallory", "guest"):
        await click(sandbox, user, asked, "run.approve")
    await click(sandbox, "bob", asked, "run.approve")
    await click(sandbox, "bob", asked, "run.approve")

    async def one_vote() -> bool:
        (shown,) = await messages_of_runs(sandbox, since)
        return bool(shown.payload["votes"] == 1)

    await eventually(one_vote, 10, "bob's vote is shown")
    (shown,) = await messages_of_runs(sandbox, since)
    assert shown.state == "Waiting for approval"
    await click(sandbox, "carol", shown, "run.approve")
    done = await in_state(sandbox, "Succeeded", since)
    assert done.payload["votes"] == 2
    assert await members(sandbox) == ["demo-1", "demo-2"]
    (snapshot,) = (sandbox.directory / "backups").rglob("*.db")
    assert snapshot.stat().st_size % 512 == 32
    assert snapshot.stat().st_mode & 0o077 == 0
    answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert "2 of 2 members" in answer.headline


async def test_a_healthy_member_while_another_is_dead(make_sandbox: MakeSandbox) -> None:
    """Refused before anybody is asked, by the rule and with its figures."""
    sandbox = await with_demo_3_dead(make_sandbox)
    since = await sandbox.moment()
    await sandbox.accepted("member remove demo-2")
    refused = await in_state(sandbox, "Refused", since)
    assert "It would leave 1 healthy of 2, quorum 2 (R2)" in refused.text
    assert "Bring demo-3 back first" in refused.text
    assert not any(block["type"] == "actions" for block in refused.blocks)


async def test_the_dead_member_comes_back(make_sandbox: MakeSandbox) -> None:
    """What was approved for a dead one is not done to a living one: people are asked again."""
    sandbox = await with_demo_3_dead(make_sandbox)
    since = await sandbox.moment()
    await sandbox.accepted(REMOVE)
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    await sandbox.cluster("demo-3", "start")
    await asyncio.sleep(2)
    await click(sandbox, "carol", asked, "run.approve")

    async def asked_again() -> bool:
        (shown,) = await messages_of_runs(sandbox, since)
        waits = shown.state == "Waiting for approval"
        return waits and shown.payload["digest"] != asked.payload["digest"]

    await eventually(asked_again, 20, "people are asked again")
    (again,) = await messages_of_runs(sandbox, since)
    assert again.payload["votes"] == 0
    await click(sandbox, "bob", asked, "run.reject")
    await in_state(sandbox, "Rejected", since)
    assert await members(sandbox) == ["demo-1", "demo-2", "demo-3"]


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15, 0.4])
async def test_the_worker_is_killed_on_the_way(make_sandbox: MakeSandbox, delay_s: float) -> None:
    """Another takes over; the member is removed once, and the run succeeds."""
    sandbox = await with_demo_3_dead(make_sandbox)
    since = await sandbox.moment()
    await sandbox.accepted(REMOVE)
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    await click(sandbox, "carol", asked, "run.approve")
    await asyncio.sleep(delay_s)
    await sandbox.processes.kill("worker")
    await in_state(sandbox, "Succeeded", since, seconds=60)
    assert await members(sandbox) == ["demo-1", "demo-2"]


async def test_backups_without_a_vote(sandbox: Sandbox) -> None:
    """A backup only reads: nobody is asked."""
    since = await sandbox.moment()
    await sandbox.accepted("backup")
    done = await in_state(sandbox, "Succeeded", since)
    assert done.payload["needed"] == 0
