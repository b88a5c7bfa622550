"""Changes asked for in a terminal: others approve them in Slack, and the terminal follows."""

import asyncio
import re
import signal
import sys
from pathlib import Path

from bot.process import own_user
from bot.sandbox.processes import environment
from tests.support.configs import changed
from tests.support.run_messages import click, decide, in_state, other, peer_urls
from tests.support.sandbox import Sandbox
from tests.support.terminal import Output, quorumbot

RUN = {"id", "procedure", "args", "state", "digest", "requester", "votes", "steps", "cluster"}
RUN |= {"reason", "error"}
STEP = {"id", "title", "state", "started_at", "ended_at", "attempts"}
AT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ")


async def ask(sandbox: Sandbox, *args: str, config: Path | None = None) -> Output:
    return await quorumbot("ask", "--config", config or sandbox.config_path, *args, seconds=120)


async def fix(sandbox: Sandbox) -> str:
    """A harmless change, as people type it."""
    return f"etcd member fix-peer-url demo-1 {other((await peer_urls(sandbox))['demo-1'])}"


async def test_a_change_is_approved_in_slack(sandbox: Sandbox) -> None:
    """It is shown in the cluster's first channel under the asker's account, and others decide."""
    before = await peer_urls(sandbox)
    since = await sandbox.moment()
    asked = asyncio.create_task(ask(sandbox, f'{await fix(sandbox)} --reason "moved"'))
    shown = await in_state(sandbox, "Waiting for approval", since)
    assert "<@U0ALICE>" in str(shown.blocks)
    await click(sandbox, "alice", shown, "run.approve")
    assert (await in_state(sandbox, "Waiting for approval", since)).payload["votes"] == 0

    waiting = (await ask(sandbox, "--json", f"ops run {shown.run.lower()}")).json
    assert waiting.keys() == RUN
    assert (waiting["state"], waiting["votes"]) == ("Waiting for approval", [])
    assert (waiting["requester"], waiting["cluster"]) == ("U0ALICE", "demo")
    assert (waiting["reason"], waiting["error"]) == ("moved", None)
    assert [step["state"] for step in waiting["steps"]] == ["to do"] * 3
    (listed,) = (await ask(sandbox, "--json", "ops approvals")).json
    assert listed == waiting

    await decide(sandbox, "bob", shown, "run.approve", since)
    output = await asked
    assert (output.code, output.err) == (0, "")
    lines = output.out.splitlines()
    assert lines[0].endswith(f"(run {shown.run})")
    assert lines[1] == "Planning"
    assert lines[2].startswith("Waiting for approval in C0OPS: Set the peer URL of demo-1 in demo")
    assert "U0BOB: approve, 1 of 1 approvals (U0BOB)" in lines
    assert "Running" in lines
    assert "Step 2 of 3, Set the peer URL of demo-1: done" in lines
    assert lines[-1] == f"Succeeded: Set the peer URL of demo-1 in demo (run {shown.run})"

    run = (await ask(sandbox, "--json", f"ops run {shown.run}")).json
    assert run.keys() == RUN
    assert run["procedure"] == "etcd member fix-peer-url"
    assert run["digest"] == shown.payload["digest"]
    (vote,) = run["votes"]
    assert (vote.keys(), vote["user"]) == ({"user", "decision", "at"}, "U0BOB")
    assert all(step.keys() == STEP for step in run["steps"])
    steps = [(step["id"], step["state"]) for step in run["steps"]]
    assert steps == [(1, "done"), (2, "done"), (3, "done")]
    assert AT.fullmatch(vote["at"])
    assert AT.fullmatch(run["steps"][0]["started_at"])

    since = await sandbox.moment()
    undo = asyncio.create_task(ask(sandbox, "--json", f"ops undo {shown.run}"))
    undone = await in_state(sandbox, "Waiting for approval", since)
    assert (await undo).json["runs"] == [undone.run]
    await decide(sandbox, "carol", undone, "run.approve", since)
    await in_state(sandbox, "Succeeded", since)
    assert await peer_urls(sandbox) == before


async def test_a_change_that_is_rejected(sandbox: Sandbox) -> None:
    """Exit status 1; `--json` prints the run as it ended, and nothing else, on stdout."""
    since = await sandbox.moment()
    asked = asyncio.create_task(ask(sandbox, "--json", await fix(sandbox)))
    shown = await in_state(sandbox, "Waiting for approval", since)
    await decide(sandbox, "bob", shown, "run.reject", since)
    output = await asked
    assert output.code == 1
    assert output.json.keys() == RUN
    assert output.json["state"] == "Rejected"
    assert "Waiting for approval in C0OPS" in output.err


async def test_the_asker_ends_it_from_another_terminal(sandbox: Sandbox) -> None:
    """The own runs can be cancelled there; the one who waits is told, with status 1."""
    since = await sandbox.moment()
    asked = asyncio.create_task(ask(sandbox, await fix(sandbox)))
    shown = await in_state(sandbox, "Waiting for approval", since)
    cancelled = await ask(sandbox, f"ops cancel {shown.run}")
    assert (cancelled.code, cancelled.err) == (0, "")
    assert cancelled.out.startswith("Cancelled: ")
    output = await asked
    assert output.code == 1
    assert output.out.splitlines()[-1] == "nothing was done."


async def test_what_takes_an_approver_is_done_in_slack(sandbox: Sandbox) -> None:
    """A terminal cannot read who is in a group of Slack's: it says so."""
    since = await sandbox.accepted((await fix(sandbox)).removeprefix("etcd "), "carol")
    shown = await in_state(sandbox, "Waiting for approval", since)
    for text in (f"ops cancel {shown.run}", "ops pause demo"):
        output = await ask(sandbox, text)
        assert (output.code, output.out) == (1, "")
        assert "which a terminal cannot read. Do it in Slack." in output.err
    await sandbox.command("carol", "ops", f"cancel {shown.run}", command="/ops")


async def test_the_listed_approvers_may_pause(sandbox: Sandbox, tmp_path: Path) -> None:
    """Where the configuration lists people, a terminal can tell."""
    listed = {"clusters.demo.approvers": {"users": ["U0ALICE", "U0BOB"]}}
    config = changed(sandbox.config_path, tmp_path / "listed.yaml", listed)
    output = await ask(sandbox, "ops pause demo", config=config)
    assert output.out.startswith("demo is paused: ")
    clusters = await ask(sandbox, "ops clusters", config=config)
    assert f"; paused by {own_user()}, " in clusters.out
    output = await ask(sandbox, "ops pause demo --off", config=config)
    assert output.out == "demo is not paused any more: what waits begins.\n"
    nobody = {"clusters.demo.approvers": {"users": ["U0CAROL", "U0BOB"]}}
    config = changed(sandbox.config_path, tmp_path / "others.yaml", nobody)
    output = await ask(sandbox, "ops pause demo", config=config)
    assert output.code == 1
    assert "Only those who may approve changes of demo may pause it." in output.err


async def test_an_unmapped_user_may_only_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """Questions, runs and plans; whatever would change something is refused with words."""
    config = changed(sandbox.config_path, tmp_path / "unmapped.yaml", {"terminal_users": {}})
    change = await fix(sandbox)
    before = await sandbox.store().runs()
    for text in (change, "ops pause demo", "ops cancel r-00000000", "ops undo r-00000000"):
        output = await ask(sandbox, text, config=config)
        assert (output.code, output.out) == (1, "")
        assert output.err == (
            f"quorumbot: {own_user()} may only read from a terminal: terminal_users names no "
            "Slack account for it.\n"
        )
    assert await sandbox.store().runs() == before
    for text in ("etcd members", "ops runs", "ops approvals", f"{change} --plan"):
        assert (await ask(sandbox, text, config=config)).code == 0


async def test_a_plan_alone(sandbox: Sandbox) -> None:
    """All that would be decided on is printed; nobody is asked, and no message appears."""
    change, since = await fix(sandbox), await sandbox.moment()
    words, data, twice = await asyncio.gather(
        ask(sandbox, "--plan", change),
        ask(sandbox, "--json", "--plan", change),
        ask(sandbox, f"{change} --plan"),
    )
    assert (words.code, data.code) == (0, 0)
    lines = words.out.splitlines()
    assert lines[0] == "Set the peer URL of demo-1 in demo"
    assert "2. Set the peer URL of demo-1" in lines
    assert any(line.startswith("   etcdctl ") for line in lines)
    assert any(line.startswith("   undo: /etcd member fix-peer-url ") for line in lines)
    assert lines[-1] == f"plan {data.json['digest']}"
    assert twice.out == words.out
    assert await sandbox.moment() == since
    refused = await ask(sandbox, "--plan", "etcd health")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "quorumbot: /etcd health has no plan: it changes nothing.\n"


async def test_a_refused_change(sandbox: Sandbox) -> None:
    """The rule that stands against it is named, with status 1."""
    url = (await peer_urls(sandbox))["demo-1"]
    output = await ask(sandbox, f"etcd member fix-peer-url demo-1 {url}")
    assert output.code == 1
    assert output.out.splitlines()[-1].endswith("already. There is nothing to do.")


async def test_ctrl_c_leaves_the_run_alone(sandbox: Sandbox) -> None:
    """Whoever stops waiting is told that the run goes on, and how to end it."""
    since = await sandbox.moment()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.main", "ask", "--config", sandbox.config_path),
        await fix(sandbox),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    shown = await in_state(sandbox, "Waiting for approval", since)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode == 1
    assert b"Waiting for approval" in out
    assert err.decode() == f"Run {shown.run} goes on. To end it: /ops cancel {shown.run}\n"
    assert (await in_state(sandbox, "Waiting for approval", since)).run == shown.run
    await ask(sandbox, f"ops cancel {shown.run}")
