"""Who is expected to be a member of a real cluster, after somebody was removed."""

from contextlib import suppress

from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from procedures.etcd.view import look_at
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from tests.e2e.conftest import MakeSandbox
from tests.support.run_messages import Shown, click, in_state
from tests.support.sandbox import Answer, Sandbox
from tests.support.terminal import quorumbot
from tests.support.waiting import eventually

MISSING = "demo-3 is expected and not in it"


async def health(sandbox: Sandbox) -> Answer:
    return await sandbox.wait_for_answer(await sandbox.accepted("health"))


async def expectations(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Each listed member, and whether it is expected."""
    head, *rows = (await sandbox.wait_for_answer(await sandbox.accepted("members"))).table
    return [(row[0], row[head.index("Expected")]) for row in rows]


async def approved(sandbox: Sandbox, since: str, *voters: str) -> Shown:
    for voter in voters:
        asked = await in_state(sandbox, "Waiting for approval", since)
        await click(sandbox, voter, asked, "run.approve")
    return await in_state(sandbox, "Succeeded", since)


async def changed(sandbox: Sandbox, text: str, *voters: str) -> Shown:
    since = await sandbox.moment()
    await sandbox.accepted(text)
    return await approved(sandbox, since, *voters)


async def removed_by_hand(sandbox: Sandbox) -> None:
    """Remove demo-3 past the bot; etcd lets it go once the others know each other for 5 s."""
    cluster = sandbox.config.inventory.clusters[ClusterName("demo")]
    reader, actor = EtcdReader(), EtcdActor()
    try:
        view = look_at(cluster, await reader.sample(cluster))
        (member,) = (each.id for each in view.members if each.name == "demo-3")
        endpoint = next(iter(cluster.endpoints.values()))

        async def gone() -> bool:
            with suppress(Permanent):
                await actor.remove_member(cluster, endpoint, member)
                return True
            return False

        await eventually(gone, 30, "demo-3 is removed")
    finally:
        await reader.close()
        await actor.close()


async def test_who_was_removed_is_not_missed(make_sandbox: MakeSandbox) -> None:
    """Health is about the two that are left; so it is for a worker that begins later."""
    sandbox = await make_sandbox()
    await sandbox.cluster("demo-3", "stop")
    await changed(sandbox, "member remove demo-3 --reason 'its disk died'", "bob", "carol")
    for _ in range(2):
        answer = await health(sandbox)
        assert answer.headline == "demo: healthy, 2 of 2 members"
        assert "expected and not" not in answer.text
        await sandbox.processes.kill("worker")
    assert await expectations(sandbox) == [("demo-1", "yes"), ("demo-2", "yes")]
    check = await quorumbot("check", "--config", sandbox.config_path)
    assert (check.code, check.err) == (0, "")
    assert "clusters.demo: 2 members answer" in check.out
    assert "clusters.demo.expected: demo-1, demo-2, by run r-" in check.out


async def test_expecting_those_that_are_listed(make_sandbox: MakeSandbox) -> None:
    """After somebody removed a member past the bot; and it is taken back by a request."""
    sandbox = await make_sandbox()
    since = await sandbox.moment()
    await sandbox.accepted("expect")
    refused = await in_state(sandbox, "Refused", since)
    assert "The expected members of demo are demo-1, demo-2, demo-3 already." in refused.text
    await removed_by_hand(sandbox)
    assert MISSING in (await health(sandbox)).text
    run = await changed(sandbox, "expect", "bob")
    assert MISSING not in (await health(sandbox)).text
    await sandbox.processes.kill("worker")
    assert MISSING not in (await health(sandbox)).text
    since = await sandbox.moment()
    await sandbox.command("alice", "ops", f"undo {run.run}", "/ops")
    await approved(sandbox, since, "bob")
    assert MISSING in (await health(sandbox)).text
