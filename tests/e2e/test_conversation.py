"""Somebody asks in Slack about a cluster in every state: what they read, and in which order."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.demo.pki import Files
from tests.support.etcdctl import etcdctl
from tests.support.sandbox import MEMBERS, Answer, Sandbox
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Seen:
    """A demo cluster as a client outside the sandbox sees it."""

    endpoints: dict[str, str]
    files: Files


async def member_ids(binary: str, sandbox: Sandbox) -> dict[str, str]:
    """The ids by name, as etcdctl prints them."""
    demo = sandbox.directory / "demo"
    (cluster,) = sandbox.config.inventory.clusters.values()
    endpoints = {str(name): url for name, url in cluster.endpoints.items()}
    files = Files(demo / "ca.crt", demo / "client.crt", demo / "client.key")
    seen = cast("DemoCluster", Seen(endpoints, files))
    listed = await etcdctl(binary, seen, "member", "list")
    return {member["name"]: f"{member['ID']:x}" for member in listed["members"]}


def safe_now(answer: Answer, change: str) -> str:
    """What its "safe now" line says about one kind of change."""
    line = answer.text.splitlines()[1]
    assert line.startswith("Safe now: ")
    (sentence,) = re.findall(rf"{change}\b.*?\(R\d+[^)]*\)", line)
    return str(sentence)


def nothing_technical(sandbox: Sandbox, answer: Answer) -> None:
    """Neither the asker nor the log got a stack trace."""
    shown = answer.text + str(answer.blocks)
    assert not re.search(r"Traceback|Error\(|<[a-z_.]+ object|errno|AioRpc", shown)
    for part in ("front", "worker"):
        assert "Traceback" not in (sandbox.directory / "log" / f"{part}.log").read_text()


async def follower(sandbox: Sandbox) -> str:
    """A member that does not lead."""
    answer = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    return next(row[0] for row in answer.table[1:] if row[2] == "voter")


async def test_a_fresh_cluster_is_healthy(sandbox: Sandbox) -> None:
    """At once a first verdict, then the answer, by edits of one message; metadata for tools."""
    before = await sandbox.last_call()
    since = await sandbox.accepted("health")
    answer = await sandbox.wait_for_answer(since)
    assert answer.headline == "demo: healthy, 3 of 3 members"
    assert answer.payload == {"command": "etcd health", "cluster": "demo", "verdict": "healthy"}
    assert "es, one at a time" in safe_now(answer, "Restart")
    assert "tolerance 0" in safe_now(answer, "Remove")
    assert answer.table[0][:3] == ["Member", "State", "Role"]
    assert [row[:2] for row in answer.table[1:]] == [[name, "healthy"] for name in MEMBERS]
    assert sorted(row[2] for row in answer.table[1:]) == ["leader", "voter", "voter"]
    assert "asked by <@U0ALICE>" in str(answer.blocks)

    (posted,) = await sandbox.calls("chat.postMessage", before)
    assert posted["args"]["text"].startswith("demo: checking, ")
    edits = await sandbox.calls("chat.update", before)
    assert edits
    assert {edit["args"]["ts"] for edit in edits} == {posted["response"]["ts"]} == {answer.ts}
    assert not {"thread_ts", "reply_broadcast"} & posted["args"].keys()


async def test_the_acknowledgement_is_quick(sandbox: Sandbox) -> None:
    """Slack waits for three seconds; no command takes half of that, and the first verdict few."""
    since = await sandbox.moment()
    acks = [await sandbox.command("alice", "ops", text) for text in ("help", "members", "healht")]
    assert all(ack.acked and ack.ms < 1_500 for ack in acks)
    await sandbox.wait_for_answer(since)
    since = await sandbox.accepted("health")
    await sandbox.wait_for_answer(since, final=False, seconds=6)


async def test_many_ask_at_once(sandbox: Sandbox) -> None:
    """A worker that has only just started answers all of them, and all alike."""
    await sandbox.processes.kill("worker")
    since = await sandbox.moment()
    people = ("alice", "bob", "carol", "dave")
    await asyncio.gather(*(sandbox.command(user, "ops", "health") for user in people))
    answers = await sandbox.wait_for_answers(len(people), since)
    assert [answer.headline for answer in answers] == ["demo: healthy, 3 of 3 members"] * 4
    later = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert later.headline == "demo: healthy, 3 of 3 members"


async def test_members_are_those_of_etcd(sandbox: Sandbox, binary: Callable[[str], str]) -> None:
    """Names and ids are exactly what etcdctl lists, in hexadecimal without padding."""
    answer = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    assert answer.headline == "demo: 3 members, 3 answer"
    assert answer.table[0][:2] == ["Member", "Id"]
    shown = {row[0]: row[1] for row in answer.table[1:]}
    assert shown == await member_ids(binary("etcdctl"), sandbox)
    assert answer.payload["command"] == "etcd members"


async def test_one_member_by_name_or_id(sandbox: Sandbox) -> None:
    """Both lead to the same single row."""
    since = await sandbox.accepted("members demo-2")
    by_name = await sandbox.wait_for_answer(since)
    (row,) = by_name.table[1:]
    assert row[0] == "demo-2"
    by_id = await sandbox.wait_for_answer(await sandbox.accepted(f"members {row[1]}"))
    assert by_id.table[1:] == [row]


async def test_a_member_that_does_not_exist(sandbox: Sandbox) -> None:
    """It is said in words, with the names there are and the nearest one."""
    answer = await sandbox.wait_for_answer(await sandbox.accepted("members demo-9"))
    assert "There is no member 'demo-9'." in answer.headline
    assert "Did you mean demo-" in answer.headline
    assert "demo-1, demo-2, demo-3" in answer.headline
    nothing_technical(sandbox, answer)


async def test_a_stopped_member_degrades_the_cluster(sandbox: Sandbox) -> None:
    """The figures say what is left, and only the dead member may be removed."""
    await sandbox.cluster("demo-3", "stop")
    answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert answer.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    assert answer.payload["verdict"] == "degraded"
    removable = safe_now(answer, "Remove")
    assert "demo-3" in removable
    assert not re.search("demo-1|demo-2", removable)
    assert "refused the connection" in answer.text
    assert dict(row[:2] for row in answer.table[1:]) == {
        "demo-1": "healthy",
        "demo-2": "healthy",
        "demo-3": "down",
    }


async def test_a_frozen_member_costs_one_deadline(sandbox: Sandbox) -> None:
    """It accepts connections and says nothing; the others are judged, and soon."""
    frozen = await follower(sandbox)
    await sandbox.cluster(frozen, "freeze")
    since = await sandbox.accepted("health")
    await sandbox.wait_for_answer(since, final=False, seconds=15)
    answer = await sandbox.wait_for_answer(since, seconds=30)
    assert answer.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    assert {row[0] for row in answer.table[1:] if row[1] == "healthy"} == {*MEMBERS} - {frozen}


async def test_without_quorum(sandbox: Sandbox) -> None:
    """Two of three down is no quorum; what is safe is to bring the members back."""
    for member in ("demo-2", "demo-3"):
        await sandbox.cluster(member, "kill")
    answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert answer.headline == "demo: no quorum, 1 of 3 members"
    assert answer.payload["verdict"] == "no quorum"
    assert re.search("bring demo-2 and demo-3 back", answer.text, re.IGNORECASE)
    nothing_technical(sandbox, answer)


async def test_nobody_is_there(sandbox: Sandbox) -> None:
    """All members down is answered in words, for health and for members alike."""
    for member in MEMBERS:
        await sandbox.cluster(member, "kill")
    since = await sandbox.moment()
    for text in ("health", "members"):
        await sandbox.accepted(text)
    health, members = await sandbox.wait_for_answers(2, since)
    if health.payload["command"] != "etcd health":
        health, members = members, health
    assert health.headline == "demo: no quorum, 0 of 3 members"
    assert "No member of demo gave a member list." in members.headline
    for answer in (health, members):
        assert all(re.search(f"{name} at .* refused", answer.text) for name in MEMBERS)
        nothing_technical(sandbox, answer)


async def test_a_mended_cluster_is_healthy_again(sandbox: Sandbox) -> None:
    """What was learnt while members were away is forgotten when they are back."""
    for member in ("demo-1", "demo-2"):
        await sandbox.cluster(member, "kill")
    gone = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    assert "healthy" not in gone.headline
    for member in ("demo-1", "demo-2"):
        await sandbox.cluster(member, "start")

    async def healthy() -> bool:
        answer = await sandbox.wait_for_answer(await sandbox.accepted("members"))
        return answer.headline == "demo: 3 members, 3 answer"

    await eventually(healthy, 45, "the cluster is healthy again")
