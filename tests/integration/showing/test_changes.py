"""A change in Slack from its request to its end: one message, its thread, its log."""

import asyncio
from itertools import pairwise

import pytest

from bot.slack.thread_views import REMIND_MS
from procedures.model.approval import EXPIRES_MS
from procedures.model.events import (
    Asked,
    Done,
    Doubted,
    Failed,
    Planned,
    PutOff,
    RefusedBy,
    Reported,
    Resumed,
    Started,
    Succeeded,
    Voted,
)
from tests.integration.showing.stage import Stage
from tests.support.plans import BOB, a_plan, actions, approved, words
from tests.support.waiting import eventually

PLAN = a_plan()
FIRST = (Started(1, 1), Done(1, None))
SECOND = (Started(2, 1), Done(2, None))


async def test_from_the_request_to_the_end(stage: Stage) -> None:
    """One message throughout; approvers and requester are called once; the log is one file."""
    name = await stage.took_up()
    async with stage.showing():
        planning = await stage.main("Planning: ")
        await stage.write(name, Planned(PLAN, 1))
        waiting = await stage.main("Waiting for approval: ")
        assert "run.approve" in actions(waiting["blocks"])
        await stage.until_said(waiting, "<!subteam^S0APPROVERS>")
        await stage.write(name, *approved(PLAN)[1:])
        await stage.write(name, Started(1, 1))
        await stage.hands.say(name, ["first line", "second line"])
        await stage.main("Running: ")
        await stage.write(name, Done(1, None), *SECOND, Succeeded())
        ended = await stage.main("Succeeded: ")
        await stage.settled()
    assert planning["ts"] == waiting["ts"] == ended["ts"]
    thread = await stage.thread(ended)
    assert [len(await stage.said(ended, each)) for each in ("<!subteam^", "<@U0ALICE>")] == [1, 1]
    assert "first line\nsecond line" in thread[1]["text"]
    assert "Finished in" in thread[-2]["text"]
    ((file, content),) = await stage.files()
    assert file["thread_ts"] == ended["ts"]
    assert file["name"] == f"{name}.log"
    assert [row.partition(" step 1: ")[2] for row in content.splitlines()] == [
        "first line",
        "second line",
    ]
    assert len(await stage.calls("files.completeUploadExternal")) == 1


async def test_no_file_without_output(stage: Stage) -> None:
    """Slack takes no empty file, and nobody needs one."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), *FIRST, *SECOND, Succeeded())
    async with stage.showing():
        root = await stage.main("Succeeded: ")
        await stage.settled()
    assert await stage.files() == []
    assert len(await stage.said(root, "<@U0ALICE>")) == 1


async def test_approvers_are_reminded_before_it_expires(stage: Stage) -> None:
    """Five minutes before, and once, whichever fronts come and go."""
    name = await stage.took_up()
    await stage.write(name, Planned(PLAN, 1))
    async with stage.showing():
        root = await stage.main("Waiting for approval: ")
        await stage.until_said(root, "approval is needed")
    stage.ahead_ms = EXPIRES_MS - REMIND_MS - 30_000
    async with stage.showing():
        await stage.write(name, Voted(BOB, "approve", "another plan"))
        await stage.settled()
    assert not await stage.said(root, "This expires")
    stage.ahead_ms = EXPIRES_MS - REMIND_MS + 1_000
    for _ in range(2):
        async with stage.showing():
            await stage.until_said(root, "This expires")
            await stage.write(name, Voted(BOB, "approve", "another plan"))
            await stage.settled()
    (reminder,) = await stage.said(root, "This expires")
    assert "<!subteam^S0APPROVERS>" in reminder["text"]
    assert len(await stage.said(root, "approval is needed")) == 1


async def test_a_failure_is_shown_in_the_channel_and_can_be_resumed(stage: Stage) -> None:
    """The requester is told of each end once; the failure is broadcast, the success is not."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), *FIRST, Started(2, 1), Failed("step 2: no.", 2))
    async with stage.showing():
        failed = await stage.main("Failed: ")
        await stage.settled()
        assert "run.resume" in actions(failed["blocks"])
        (told,) = await stage.said(failed, "<@U0ALICE>")
        assert told["subtype"] == "thread_broadcast"
        await stage.write(name, Resumed(BOB), Started(2, 2), Done(2, None), Succeeded())
        ended = await stage.main("Succeeded: ")
        await stage.settled()
    _, told = await stage.said(ended, "<@U0ALICE>")
    assert "subtype" not in told


async def test_a_doubt_calls_for_people(stage: Stage) -> None:
    """Requester and approvers are mentioned, in the channel as well, once."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), Started(1, 1), Doubted(1, "nobody can tell."))
    for _ in range(2):
        async with stage.showing():
            root = await stage.main("In doubt: ")
            await stage.settled()
            await stage.until_said(root, "<!subteam^")
    (called,) = await stage.said(root, "<!subteam^S0APPROVERS>")
    assert "<@U0ALICE>" in called["text"]
    assert called["subtype"] == "thread_broadcast"


async def test_a_step_is_tried_again(stage: Stage) -> None:
    """The step and the thread say which attempt it is, of how many, and why."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), Started(1, 1))
    await stage.hands.say(name, ["attempt 2 of 3: it is away."])
    await stage.write(name, PutOff(1, 1, 3, 10_000, "it is away."))
    async with stage.showing():
        root = await stage.main("Running: ")
        assert "attempt 2 of 3: it is away." in words(root["blocks"])
        (said,) = await stage.until_said(root, "attempt 2 of 3: it is away.")
        await stage.write(name, Started(1, 2), Failed("step 1: it is away. Tried 3 times.", 1))
        await stage.main("Failed: ")
        await stage.settled()
    assert said["thread_ts"] == root["ts"]


async def test_people_are_asked_to_do_a_step(stage: Stage) -> None:
    """The message says what, with the button; people are mentioned once; then only who said Done
    is told what is missing, once as well.
    """
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), *FIRST, Asked(2, 1))
    for _ in range(2):
        async with stage.showing():
            root = await stage.main("Waiting for a person: ")
            await stage.settled()
            await stage.until_said(root, "<!subteam^")
    assert "run.done" in actions(root["blocks"])
    assert "Step 2: Do the thing number 2\ncheck" in words(root["blocks"])
    (called,) = await stage.said(root, "<!subteam^S0APPROVERS>")
    assert "<@U0ALICE>" in called["text"]
    assert "Step 2: Do the thing number 2" in called["text"]
    await stage.write(name, Reported(2, 1, BOB), Asked(2, 2, "the port is closed."))
    for _ in range(2):
        async with stage.showing():
            await stage.until_said(root, "Not there yet: the port is closed.")
            await stage.settled()
    (told,) = await stage.said(root, "Not there yet: the port is closed.")
    assert told["text"].startswith("<@U0BOB> Waiting for a person: ")
    assert len(await stage.said(root, "<!subteam^S0APPROVERS>")) == 1
    assert len(await stage.said(root, "<@U0ALICE>")) == 1
    again = await stage.main("Waiting for a person: ")
    assert "Not there yet: the port is closed." in words(again["blocks"])


async def test_the_incident_channel_tells_of_people(stage: Stage) -> None:
    """What the run waits for stands there as well."""
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), *FIRST, Asked(2, 1))
    async with stage.showing():
        incident = await stage.incident("Waiting for a person")
    assert "Step 2: Do the thing number 2" in words(incident["blocks"])


async def test_a_refusal_is_told(stage: Stage) -> None:
    """A rule that stands against it is said in the message and to the requester."""
    name = await stage.took_up()
    await stage.write(name, RefusedBy("demo has no quorum (R14)."))
    async with stage.showing():
        root = await stage.main("Refused: ")
        await stage.settled()
    assert "demo has no quorum (R14)." in words(root["blocks"])
    assert len(await stage.said(root, "<@U0ALICE>")) == 1


async def test_the_incident_channel_has_one_message(stage: Stage) -> None:
    """It tells who asked, who approved, and the failure, and leads to the run's own message."""
    name = await stage.took_up()
    async with stage.showing():
        await stage.write(name, Planned(PLAN, 1))
        first = await stage.incident("Waiting for approval")
        root = await stage.main("Waiting for approval: ")
        await stage.write(name, *approved(PLAN)[1:], Started(1, 1), Failed("step 1: no.", 1))
        failed = await stage.incident("Failed")
        await stage.settled()
    assert failed["ts"] == first["ts"]
    assert failed["metadata"]["event_payload"] == {
        "run_id": name,
        "state": "Failed",
        "cluster": "demo",
    }
    text = words(failed["blocks"])
    assert "Requested by <@U0ALICE>" in text
    assert "Approved by <@U0BOB>" in text
    assert "Started" in text
    assert "Step 1: no." in text
    assert f"/archives/C0OPS/p{root['ts'].replace('.', '')}|" in text
    assert actions(failed["blocks"]) == []


async def test_a_deleted_message_is_posted_anew(stage: Stage) -> None:
    """The new one says that it replaces another and leads to its thread; the thread goes on."""
    name = await stage.took_up()
    await stage.write(name, Planned(PLAN, 1))
    async with stage.showing():
        before = await stage.main("Waiting for approval: ")
        (asked,) = await stage.until_said(before, "<!subteam^")
        await stage.client().chat_delete(channel="C0OPS", ts=before["ts"])
        await stage.write(name, *approved(PLAN)[1:], *FIRST, says=["a line"])
        await stage.write(name, *SECOND, Succeeded())
        after = await stage.main("Succeeded: ")
        await stage.settled()
    assert after["ts"] != before["ts"]
    text = words(after["blocks"])
    assert "replaces one that was deleted" in text
    assert f"p{asked['ts'].replace('.', '')}" in text
    assert len(await stage.said(after, "a line")) == 1
    assert not await stage.said(after, "<!subteam^")
    ((file, _),) = await stage.files()
    assert file["thread_ts"] == after["ts"]


async def test_where_plan_blocks_are_refused(stage: Stage) -> None:
    """Steps are shown as sections, and plan blocks are not tried again by this front."""
    client = stage.client()
    client.knows_plan_blocks = False
    name = await stage.took_up()
    async with stage.showing(client):
        await stage.write(name, *approved(PLAN), *FIRST)
        running = await stage.main("Running: ")
        await stage.write(name, *SECOND, Succeeded())
        ended = await stage.main("Succeeded: ")
        await stage.settled()
    for message in (running, ended):
        assert not [block for block in message["blocks"] if block["type"] == "plan"]
    assert "Do the thing number 2* · done" in words(ended["blocks"])
    assert client.refused == 1


@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
async def test_votes_are_shown_in_place(stage: Stage, method: str) -> None:
    """Whatever call fails meanwhile, the message counts the votes, and is one."""
    name = await stage.took_up()
    await stage.write(name, Planned(PLAN, 2))
    async with stage.showing():
        root = await stage.main("Waiting for approval: ")
        await stage.control.post("faults", kind="http_5xx", method=method, count=1)
        await stage.write(name, Voted(BOB, "approve", PLAN.digest))

        async def counted() -> bool:
            message = await stage.main("Waiting for approval: ")
            return "Approved by <@U0BOB> · 1 of 2 needed" in words(message["blocks"])

        await eventually(counted, 15)
    assert root["ts"] == (await stage.main())["ts"]


async def test_a_change_from_a_terminal(stage: Stage) -> None:
    """It has no message of its own; the incident channel is told."""
    name = await stage.asked(channel=None)
    await stage.write(name, *approved(PLAN), *FIRST, *SECOND, Succeeded())
    async with stage.showing():
        incident = await stage.incident("Succeeded")
        await stage.settled()
    assert "Approved by <@U0BOB>" in words(incident["blocks"])
    assert await stage.messages("quorumbot_run") == []


async def test_edits_have_time_in_between(stage: Stage) -> None:
    """However fast steps go by; the last state is shown all the same."""
    plan = a_plan([f"step {n}" for n in range(12)])
    name = await stage.took_up()
    await stage.write(name, *approved(plan))
    async with stage.showing():
        root = await stage.main("Queued: ")
        for number in range(1, 13):
            await stage.write(name, Started(number, 1), Done(number, None))
            await asyncio.sleep(0.05)
        await stage.write(name, Succeeded())
        await stage.main("Succeeded: ")
        await stage.settled()
    edits = [each for each in await stage.calls("chat.update") if each["args"]["ts"] == root["ts"]]
    assert len(edits) > 1
    assert min(b["at"] - a["at"] for a, b in pairwise(edits)) >= 0.15
