"""The record of a change can be checked and copied, and what is done to it in Redis is found."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from bot.redis_link import link
from bot.store import keys
from procedures.model.ids import RunId
from tests.support.run_messages import click, in_state, other, peer_urls
from tests.support.sandbox import Sandbox
from tests.support.tampering import at, put
from tests.support.terminal import Output, quorumbot
from tests.support.waiting import eventually


async def audit(sandbox: Sandbox, what: str, *args: str) -> Output:
    return await quorumbot("audit", what, "--config", sandbox.config_path, *args)


async def a_harmless_change(sandbox: Sandbox) -> str:
    """A peer URL gets the other name of this machine; gives the run."""
    url = other((await peer_urls(sandbox))["demo-1"])
    since = await sandbox.accepted(f"member fix-peer-url demo-1 {url}")
    shown = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", shown, "run.approve")
    return (await in_state(sandbox, "Succeeded", since)).run


async def heads(sandbox: Sandbox) -> list[str]:
    """The heads in the channel for them, the newest last."""
    found = []
    for message in await sandbox.messages("etcd-alerts"):
        metadata = message.get("metadata", {})
        if metadata.get("event_type") == "quorumbot_audit_head":
            payload = metadata["event_payload"]
            found.append(f"{payload['index']}:{payload['hash']}")
            assert message["text"] == f"Audit head {found[-1]}"
    return found


@asynccontextmanager
async def event(sandbox: Sandbox, run: str, seq: int) -> AsyncIterator[tuple[Redis, str, bytes]]:
    """A stored event, which is put back afterwards."""
    key = keys.events(RunId(run))
    async with link(sandbox.config) as redis:
        stored = await at(redis, key, seq)
        yield redis, key, stored
        await put(redis, key, seq, stored)


async def test_a_change_is_in_the_record_and_tampering_is_found(sandbox: Sandbox) -> None:
    """From the request to the end; verified, exported, shown; then one byte is changed."""
    run = await a_harmless_change(sandbox)
    length = (await sandbox.store().journal(run)).version

    async def all_recorded() -> bool:
        lines = (await audit(sandbox, "export")).out.splitlines()
        runs: list[str] = [json.loads(line)["run"] for line in lines]
        return runs.count(run) == length

    await eventually(all_recorded, 30, "all events are in the audit log")
    await eventually(lambda: _published(sandbox), 30, "a head is published")
    head = (await heads(sandbox))[-1]

    verified = await audit(sandbox, "verify", "--head", head)
    assert verified.code == 0, verified
    assert re.fullmatch(
        r"OK: [0-9]+ entries, [0-9]+ runs, head [0-9]+:[0-9a-f]{64}\n", verified.out
    )
    plain = await audit(sandbox, "verify")
    assert (plain.code, plain.out) == (0, verified.out)
    assert "A head that was kept elsewhere proves more" in plain.err

    exported = [json.loads(line) for line in (await audit(sandbox, "export")).out.splitlines()]
    assert [each["index"] for each in exported] == list(range(1, len(exported) + 1))
    events = [each for each in exported if each["run"] == run]
    assert [each["seq"] for each in events] == list(range(length))
    assert events[0]["event"]["requester"]["user"] == "U0ALICE"
    kinds = [each["event"]["kind"] for each in events]
    assert kinds[0] == "requested"
    assert {"planned", "voted", "decided", "started", "done"} <= set(kinds)
    assert kinds[-1] == "succeeded"
    assert {"at", "writer", "hash", "signature"} <= events[0].keys()

    said = await sandbox.command("carol", "ops", f"audit {run}", command="/ops")
    assert said.words is not None
    lines = said.words.splitlines()
    assert len(lines) == length
    assert "<@U0ALICE>: asked for etcd member fix-peer-url demo-1 " in lines[0]
    assert "<@U0BOB>: approve, plan " in said.words
    assert lines[-1].endswith(": succeeded")

    async with event(sandbox, run, 3) as (redis, key, stored):
        await put(redis, key, 3, stored[:-1] + b" ")
        found = await audit(sandbox, "verify", "--head", head)
        assert found.code == 1
        assert f"run {run}: event 3 is not what was recorded" in found.out.splitlines()
        data = await audit(sandbox, "verify", "--json")
        assert data.code == 1
        assert not data.json["ok"]
        assert run in {fault["run"] for fault in data.json["faults"]}
        assert (await audit(sandbox, "export")).code == 1
    assert (await audit(sandbox, "verify", "--head", head)).code == 0
    await a_harmless_change(sandbox)  # back to what it was


async def _published(sandbox: Sandbox) -> bool:
    return bool(await heads(sandbox))


async def test_a_head_that_was_never_published(sandbox: Sandbox) -> None:
    """It is not in the log; and what is no head at all is a usage error."""
    wrong = f"1000000:{'0' * 64}"
    found = await audit(sandbox, "verify", "--head", wrong)
    assert found.code == 1
    assert f"but {wrong} was published: it was cut off or rolled back" in found.out
    usage = await audit(sandbox, "verify", "--head", "latest")
    assert (usage.code, usage.out) == (2, "")
    assert usage.err == (
        "quorumbot: --head 'latest' is no head: write it as it was published, INDEX:HASH.\n"
    )
