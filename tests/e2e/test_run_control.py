"""People look at runs, end them, take them back and keep new ones from beginning, by command."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.run_messages import Shown, click, decide, in_state, other, peer_urls
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def sandbox(sandbox: Sandbox) -> AsyncIterator[Sandbox]:
    """A sandbox in which nothing is paused and no run waits when the test is over."""
    yield sandbox
    if "paused by" in await ops(sandbox, "clusters"):
        await ops(sandbox, "pause demo --off", "bob")
    for line in (await ops(sandbox, "runs")).splitlines():
        if re.match(r"r-\w+ (Waiting|Queued|Planning|Running)", line):
            await ops(sandbox, f"cancel {line.split()[0]}", "bob")


async def ops(sandbox: Sandbox, text: str, user: str = "alice", channel: str = "ops") -> str:
    """Ask Quorumbot itself; what the asker reads at once."""
    ack = await sandbox.command(user, channel, text, command="/ops")
    assert ack.acked
    assert ack.words is not None
    assert ack.ms < 2_500
    return ack.words


async def a_change(sandbox: Sandbox, user: str = "alice") -> tuple[Shown, str]:
    """Ask for a harmless change; gives its message when it waits, and the moment before."""
    url = (await peer_urls(sandbox))["demo-1"]
    since = await sandbox.accepted(f"member fix-peer-url demo-1 {other(url)}", user)
    return await in_state(sandbox, "Waiting for approval", since), since


async def test_a_run_that_waits_is_seen_and_ended_by_its_requester(sandbox: Sandbox) -> None:
    """`runs`, `run` and `approvals` show it; after `cancel` nothing was done, and all say so."""
    shown, since = await a_change(sandbox)
    title = "Set the peer URL of demo-1 in demo"

    first = (await ops(sandbox, "runs")).splitlines()[0]
    assert first.startswith(f"{shown.run} Waiting for approval: {title}, <@U0ALICE>, asked ")
    (line,) = (await ops(sandbox, "approvals", "dave")).splitlines()
    assert line.startswith(f"{shown.run} {title}, asked by <@U0ALICE>, in <#C0OPS>: waits for ")
    assert "0 of 1 approvals, until " in line
    about = await ops(sandbox, f"run {shown.run.lower()}", "dave")
    assert about.startswith(f"Waiting for approval: {title} (run {shown.run})\n")
    assert f"plan {shown.payload['digest']}" in about
    assert "\n2. Set the peer URL of demo-1: to do\n3. Check that all" in about

    refused = await ops(sandbox, f"cancel {shown.run}", "dave")
    assert refused == "Only who asked for it, or an approver, may cancel it."
    done = await ops(sandbox, f"cancel {shown.run}")
    assert done == f"Cancelled: {title} (run {shown.run})\nnothing was done."
    await in_state(sandbox, "Cancelled", since)
    assert await ops(sandbox, "approvals") == "Nothing waits for a decision."
    assert (await ops(sandbox, "runs")).startswith(f"{shown.run} Cancelled: {title}, ")
    again = await ops(sandbox, f"cancel {shown.run}")
    assert again == "It is at its end already: cancelled."


async def test_an_approver_may_end_the_runs_of_others(sandbox: Sandbox) -> None:
    """It is written who did."""
    shown, since = await a_change(sandbox)
    assert (await ops(sandbox, f"cancel {shown.run}", "bob")).startswith("Cancelled: ")
    await in_state(sandbox, "Cancelled", since)


async def test_ids_that_lead_nowhere(sandbox: Sandbox) -> None:
    """A misspelt id and an unknown one are told apart."""
    assert await ops(sandbox, "run r-7K2M9QX") == (
        "r-7K2M9QX is no run id. One is r- and eight letters or digits, e.g. r-7K2M9QXD."
    )
    for verb in ("run", "cancel", "resume", "undo"):
        assert await ops(sandbox, f"{verb} R-00000000") == "There is no run r-00000000 here."


async def test_a_finished_run_is_undone_by_a_new_request(sandbox: Sandbox) -> None:
    """What `undo` asks for is a run of its own that waits for approval, and takes it back."""
    before = await peer_urls(sandbox)
    shown, since = await a_change(sandbox)
    assert (await ops(sandbox, f"undo {shown.run}")).endswith("Cancel it first.")
    await decide(sandbox, "bob", shown, "run.approve", since)
    await in_state(sandbox, "Succeeded", since)
    assert (await peer_urls(sandbox))["demo-1"] == other(before["demo-1"])
    about = await ops(sandbox, f"run {shown.run}")
    assert "\n2. Set the peer URL of demo-1: done, " in about
    assert "<@U0BOB>: approve, " in about
    assert "only a failed run" in (await ops(sandbox, f"resume {shown.run}")).lower()

    since = await sandbox.moment()
    said = await ops(sandbox, f"undo {shown.run}", "carol")
    undone = await in_state(sandbox, "Waiting for approval", since)
    assert re.fullmatch(
        rf"Step 2: asked for /etcd member fix-peer-url [0-9a-f]+ {before['demo-1']} "
        rf"\(run {undone.run}\)",
        said,
    )
    assert f"undo of step 2 of run {shown.run}" in str(undone.blocks)
    assert "<@U0CAROL>" in str(undone.blocks)
    await decide(sandbox, "bob", undone, "run.approve", since)
    await in_state(sandbox, "Succeeded", since)
    assert await peer_urls(sandbox) == before


async def test_a_paused_cluster_begins_nothing_new(sandbox: Sandbox) -> None:
    """An approved change waits and says so; questions are answered; it begins when it may."""
    refused = await ops(sandbox, "pause demo")
    assert refused == "Only those who may approve changes of demo may pause it."
    said = await ops(sandbox, "pause demo", "bob")
    assert said.startswith("demo is paused: no more changes of it begin.")
    assert (await ops(sandbox, "pause demo", "carol")).startswith(
        "demo is paused already, by <@U0BOB>"
    )
    assert "; paused by <@U0BOB>, " in await ops(sandbox, "clusters", "dave")

    shown, since = await a_change(sandbox)
    await decide(sandbox, "bob", shown, "run.approve", since)
    await eventually(
        lambda: _says(sandbox, since, "The cluster is paused: "), 30, "it says why it waits"
    )
    held = await in_state(sandbox, "Queued", since)
    assert "run.cancel" in str(held.blocks)
    await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert (await in_state(sandbox, "Queued", since)).ts == shown.ts

    assert await ops(sandbox, "pause demo --off", "carol") == (
        "demo is not paused any more: what waits begins."
    )
    await in_state(sandbox, "Succeeded", since)
    assert await ops(sandbox, "pause demo --off", "bob") == "demo is not paused."
    since = await sandbox.moment()
    await ops(sandbox, f"undo {shown.run}")
    back = await in_state(sandbox, "Waiting for approval", since)
    await decide(sandbox, "carol", back, "run.approve", since)
    await in_state(sandbox, "Succeeded", since)


async def _says(sandbox: Sandbox, since: str, words: str) -> bool:
    return any(
        words in each["text"] for each in await sandbox.messages("ops") if each["ts"] > since
    )


async def test_strangers_get_nothing(sandbox: Sandbox) -> None:
    """A guest and an account of another workspace hear of no run."""
    for user in ("guest", "mallory"):
        assert "r-" not in await ops(sandbox, "runs", user)
    assert (await ops(sandbox, "runs", "alice", "random")).startswith("I do not answer in this")


async def test_help_names_them_all(sandbox: Sandbox) -> None:
    """Each with what it takes, and what a pause leaves alone."""
    words = await ops(sandbox, "help")
    for verb in ("runs", "run RUN", "cancel RUN", "resume RUN", "undo RUN", "approvals"):
        assert f"`/ops {verb}`" in words
    assert "`/ops pause CLUSTER`" in words
    pausing = await ops(sandbox, "pause help")
    assert "`/ops pause CLUSTER [--off]`" in pausing
    assert "runs under way and questions go on" in pausing


async def test_undo_by_click(sandbox: Sandbox) -> None:
    """It asks for the opposite change, which is approved like any other."""
    before = (await peer_urls(sandbox))["demo-1"]
    since = await sandbox.moment()
    await sandbox.accepted(f"member fix-peer-url demo-1 {other(before)}")
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    done = await in_state(sandbox, "Succeeded", since)
    later = await sandbox.moment()
    await click(sandbox, "alice", done, "run.undo")
    back = await in_state(sandbox, "Waiting for approval", later)
    await click(sandbox, "bob", back, "run.approve")
    await in_state(sandbox, "Succeeded", later)
    assert (await peer_urls(sandbox))["demo-1"] == before
