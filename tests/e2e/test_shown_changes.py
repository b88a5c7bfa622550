"""A harmless change on the real sandbox, as Slack shows it: message, thread, log, incident."""

import re
from typing import Any

import aiohttp

from tests.support.run_messages import Shown, click, in_state, other, peer_urls
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually

Wire = dict[str, Any]


async def asked(sandbox: Sandbox) -> Shown:
    """Alice asks for demo-1 to be reached under its other name; the request waits."""
    url = other((await peer_urls(sandbox))["demo-1"])
    since = await sandbox.moment()
    text = f"member fix-peer-url demo-1 {url} --reason 'tidy up'"
    assert (await sandbox.command("alice", "ops", text)).words is None
    return await in_state(sandbox, "Waiting for approval", since)


async def thread(sandbox: Sandbox, shown: Shown, viewer: str | None = None) -> list[Wire]:
    query = {"channel": "ops", "thread_ts": shown.ts} | ({"viewer": viewer} if viewer else {})
    found: list[Wire] = await sandbox._call("GET", "messages", query=query)
    return found[1:]


async def ephemerals(sandbox: Sandbox, viewer: str, since: str) -> list[Wire]:
    messages = await sandbox.messages("ops", viewer)
    return [each for each in messages if each.get("is_ephemeral") and each["ts"] > since]


async def logs(sandbox: Sandbox, shown: Shown) -> list[str]:
    """The contents of the files in a run's thread."""
    files: list[Wire] = await sandbox._call("GET", "files", query={"channel": "ops"})
    contents = []
    async with aiohttp.ClientSession() as session:
        for file in files:
            if file["thread_ts"] == shown.ts:
                async with session.get(file["content_url"]) as answer:
                    contents.append(await answer.text())
    return contents


async def incidents(sandbox: Sandbox, run: str) -> list[Wire]:
    return [
        message
        for message in await sandbox.messages("etcd-alerts")
        if message.get("metadata", {}).get("event_type") == "quorumbot_incident"
        and message["metadata"]["event_payload"]["run_id"] == run
    ]


async def test_a_change_from_the_request_to_the_end(sandbox: Sandbox) -> None:
    """One message, the plan in full; who has to know is called once; the log is one file."""
    waiting = await asked(sandbox)
    assert waiting.text.startswith("Waiting for approval: Set the peer URL of demo-1 in demo (run ")
    assert re.search("etcdctl member update [0-9a-f]+ --peer-urls=https://", str(waiting.blocks))
    assert "reason: tidy up" in str(waiting.blocks)
    assert "Undo: /etcd member fix-peer-url" in str(waiting.blocks)

    async def called() -> bool:
        return any(
            "<!subteam^S0APPROVERS>" in each["text"] for each in await thread(sandbox, waiting)
        )

    # Whoever clicks before the call is posted is not called: there is nothing left to decide.
    await eventually(called, 10, "the approvers are called")
    await click(sandbox, "bob", waiting, "run.approve")
    ended = await in_state(sandbox, "Succeeded", before(waiting))
    await eventually(sandbox.store().idle, 20, "all of it is shown")
    assert (ended.ts, ended.run) == (waiting.ts, waiting.run)
    (plan,) = [block for block in ended.blocks if block["type"] == "plan"]
    assert plan["title"].startswith("Finished in ")
    assert {task["status"] for task in plan["tasks"]} == {"complete"}
    assert "Approved by <@U0BOB> · 1 of 1 needed" in str(ended.blocks)

    said = [reply["text"] for reply in await thread(sandbox, ended)]
    assert sum("<!subteam^S0APPROVERS>" in text for text in said) == 1
    assert sum(text.startswith("<@U0ALICE> Succeeded: ") for text in said) == 1
    assert any("the peer URL is https://" in text for text in said)
    (log,) = await logs(sandbox, ended)
    assert "step 2: the peer URL is https://" in log
    assert "members are healthy" in log

    (incident,) = await incidents(sandbox, ended.run)
    assert incident["metadata"]["event_payload"] == {
        "run_id": ended.run,
        "state": "Succeeded",
        "cluster": "demo",
    }
    assert f"/archives/C0OPS/p{ended.ts.replace('.', '')}|" in str(incident["blocks"])


async def test_log_and_plan_are_for_whoever_clicks(sandbox: Sandbox) -> None:
    """The latest lines and the whole plan, in private; nothing of it is posted for all."""
    waiting = await asked(sandbox)
    await click(sandbox, "carol", waiting, "run.approve")
    ended = await in_state(sandbox, "Succeeded", before(waiting))
    await eventually(sandbox.store().idle, 20, "all of it is shown")
    public, since = await sandbox.messages("ops"), await sandbox.moment()

    async def answered(words: str) -> bool:
        return any(words in str(each) for each in await ephemerals(sandbox, "dave", since))

    await click(sandbox, "dave", ended, "run.log")
    await eventually(lambda: answered("the peer URL is https://"), 10, "the log")
    await click(sandbox, "dave", ended, "run.plan")
    await eventually(lambda: answered(f"Plan of run {ended.run}"), 10, "the plan")
    await eventually(lambda: answered(ended.payload["digest"]), 10, "the digest")
    assert await sandbox.messages("ops") == public


async def test_a_rejection(sandbox: Sandbox) -> None:
    """Buttons give way to who rejected it; the requester is told, and nothing was done."""
    urls = await peer_urls(sandbox)
    waiting = await asked(sandbox)
    await click(sandbox, "bob", waiting, "run.reject")
    ended = await in_state(sandbox, "Rejected", before(waiting))
    await eventually(sandbox.store().idle, 20, "all of it is shown")
    assert "Rejected by <@U0BOB>" in str(ended.blocks)
    assert not [block for block in ended.blocks if block["type"] == "actions"]
    told = [reply["text"] for reply in await thread(sandbox, ended)][-1]
    assert told.startswith("<@U0ALICE> Rejected: ")
    assert await logs(sandbox, ended) == []
    assert await peer_urls(sandbox) == urls
    (incident,) = await incidents(sandbox, ended.run)
    assert incident["text"].startswith("Rejected: ")


async def test_a_front_that_is_killed_while_people_decide(sandbox: Sandbox) -> None:
    """The next one goes on with the same message, and calls nobody again."""
    waiting = await asked(sandbox)
    await eventually(sandbox.store().idle, 20, "all of it is shown")
    await sandbox.processes.kill("front")
    await eventually(sandbox.is_ready, 30, "a front is ready")
    await click(sandbox, "bob", waiting, "run.approve")
    ended = await in_state(sandbox, "Succeeded", before(waiting))
    await eventually(sandbox.store().idle, 20, "all of it is shown")
    said = [reply["text"] for reply in await thread(sandbox, ended)]
    assert sum("<!subteam^S0APPROVERS>" in text for text in said) == 1
    assert sum(text.startswith("<@U0ALICE> ") for text in said) == 1
    assert len(await logs(sandbox, ended)) == 1
    assert len(await incidents(sandbox, ended.run)) == 1


def before(shown: Shown) -> str:
    return f"{float(shown.ts) - 0.001:.6f}"
