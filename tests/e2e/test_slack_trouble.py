"""Slack repeats, loses, delays and breaks off: each command has one answer all the same."""

import pytest

from tests.e2e.test_shown_changes import asked, before
from tests.support.run_messages import click, in_state
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually

ACCEPTED = 'quorumbot_commands_total{command="/etcd",outcome="accepted"}'


async def test_a_repeated_delivery_leads_to_one_answer(sandbox: Sandbox) -> None:
    """Each envelope comes twice; both are handled, one is answered."""
    before, accepted = await sandbox.store().runs(), await sandbox.counted("front", ACCEPTED)
    calls = await sandbox.last_call()
    await sandbox.fault("duplicate", count=2)
    since = await sandbox.accepted("members")
    await sandbox.accepted("members", "bob")

    async def handled() -> bool:
        return await sandbox.counted("front", ACCEPTED) == accepted + 4

    await eventually(handled, 10, "all four deliveries are handled")
    answers = await sandbox.wait_for_answers(2, since)
    await eventually(sandbox.store().idle, 20, "nothing more is under way")
    assert [each.ts for each in await sandbox.answers(since)] == [each.ts for each in answers]
    assert len(await sandbox.store().runs() - before) == 2
    assert len(await sandbox.calls("chat.postMessage", calls)) == 2


async def test_a_lost_acknowledgement_is_still_answered_once(sandbox: Sandbox) -> None:
    """The asker sees Slack's time-out and, in the channel, the answer; nothing runs twice."""
    before = await sandbox.store().runs()
    await sandbox.fault("drop_ack", count=1)
    since = await sandbox.moment()
    assert (await sandbox.command("alice", "ops", "members")).acked is False
    answer = await sandbox.wait_for_answer(since)
    assert answer.headline == "demo: 3 members, 3 answer"
    await eventually(sandbox.store().idle, 20, "nothing more is under way")
    assert [each.ts for each in await sandbox.answers(since)] == [answer.ts]
    assert await sandbox.store().runs() - before == {answer.run}


async def test_a_rate_limit_delays_the_answer(sandbox: Sandbox) -> None:
    """Slack is left alone for as long as it asks, then the answer is posted."""
    calls = await sandbox.last_call()
    await sandbox.fault("rate_limit", method="chat.postMessage", retry_after=3, count=1)
    answer = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    assert answer.headline == "demo: 3 members, 3 answer"
    limited, posted = await sandbox.calls("chat.postMessage", calls)
    assert limited["status"] == 429
    assert posted["response"]["ok"] is True
    assert posted["at"] - limited["at"] >= 3


async def test_failing_edits_are_tried_again(sandbox: Sandbox) -> None:
    """No message is left at its first verdict because edits failed, or only seemed to."""
    await sandbox.fault("http_5xx", method="chat.update", count=2)
    await sandbox.fault("http_5xx", method="chat.update", after=True, count=1)
    since = await sandbox.accepted("health")
    answer = await sandbox.wait_for_answer(since)
    assert answer.headline == "demo: healthy, 3 of 3 members"
    await eventually(sandbox.store().idle, 20, "it is shown")
    assert [each.ts for each in await sandbox.answers(since)] == [answer.ts]
    assert (await sandbox.state())["faults"] == []


async def test_an_outage_during_a_run(sandbox: Sandbox) -> None:
    """Slack is away for some seconds after the first verdict; the same front answers later."""
    front = sandbox.processes.pid("front")
    since = await sandbox.accepted("health")
    first = await sandbox.wait_for_answer(since, final=False)
    await sandbox.fault("outage", seconds=8)
    status = await sandbox.status("front", "readyz")
    assert status.code == 503
    assert "slack" in status.text
    answer = await sandbox.wait_for_answer(since)
    assert answer.headline == "demo: healthy, 3 of 3 members"
    assert answer.ts == first.ts
    await eventually(sandbox.is_ready, 30, "front is ready again")
    assert sandbox.processes.pid("front") == front
    later = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    assert later.headline == "demo: 3 members, 3 answer"


async def test_a_refreshed_connection_loses_nothing(sandbox: Sandbox) -> None:
    """While Slack renews one connection, commands come over the other."""
    await sandbox.fault("disconnect", count=1)
    since = await sandbox.moment()
    for user in ("alice", "bob", "carol"):
        await sandbox.accepted("members", user)
    answers = await sandbox.wait_for_answers(3, since)
    assert {answer.headline for answer in answers} == {"demo: 3 members, 3 answer"}


async def test_all_connections_break_during_a_run(sandbox: Sandbox) -> None:
    """The run is answered, and the front is back for the next command."""
    front = sandbox.processes.pid("front")
    since = await sandbox.accepted("health")
    await sandbox.fault("disconnect")
    answer = await sandbox.wait_for_answer(since)
    assert answer.headline == "demo: healthy, 3 of 3 members"

    async def heard() -> bool:
        return (await sandbox.command("alice", "ops", "help")).acked

    await eventually(heard, 20, "commands are heard again")
    assert sandbox.processes.pid("front") == front


async def test_a_slow_slack_delays_nobody_but_itself(sandbox: Sandbox) -> None:
    """Posting takes seconds; the next command is acknowledged at once, and both are answered."""
    await sandbox.fault("slow", method="chat.postMessage", delay_s=4, count=1)
    since = await sandbox.accepted("members")
    assert (await sandbox.command("bob", "ops", "members")).ms < 1_500
    answers = await sandbox.wait_for_answers(2, since)
    assert {answer.headline for answer in answers} == {"demo: 3 members, 3 answer"}


async def test_a_post_whose_reply_was_lost(sandbox: Sandbox) -> None:
    """The message is there, so no second one is posted, and it does not stay at "checking"."""
    await sandbox.fault("http_5xx", method="chat.postMessage", after=True, count=1)
    since = await sandbox.accepted("members")
    answer = await sandbox.wait_for_answer(since)
    await eventually(sandbox.store().idle, 20, "it is shown")
    assert [each.ts for each in await sandbox.answers(since)] == [answer.ts]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_limit", "method": "usergroups.users.list", "count": 2},
        {"kind": "http_5xx", "method": "users.info", "count": 2},
        {"kind": "slow", "method": "conversations.info", "delay_s": 3, "count": 1},
    ],
    ids=lambda fault: f"{fault['kind']} {fault['method']}",
)
async def test_a_click_counts_although_slack_is_slow_to_say_whose_it_is(
    sandbox: Sandbox, fault: dict[str, str]
) -> None:
    """It is acknowledged, tried again, and decides; whoever clicked is told meanwhile."""
    waiting = await asked(sandbox)
    seen = await sandbox.messages("ops", "carol")
    await sandbox.fault(**fault)
    await click(sandbox, "carol", waiting, "run.approve")
    decided = await in_state(sandbox, "Succeeded", before(waiting))
    assert "Approved by <@U0CAROL> · 1 of 1 needed" in str(decided.blocks)
    told = [each for each in await sandbox.messages("ops", "carol") if each not in seen]
    assert any("It is tried again for 30 s." in each["text"] for each in told), told
