"""A member of a real cluster is replaced: removed, added as a learner, started, promoted."""

from procedures.model.quorum import Health
from tests.e2e.conftest import MakeSandbox
from tests.e2e.test_maintenance import seen
from tests.support.run_messages import click, in_state
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually


async def approved(sandbox: Sandbox, command: str, *approvers: str) -> None:
    """Ask for a change, have it approved, and see it through."""
    since = await sandbox.moment()
    await sandbox.accepted(command)
    asked = await in_state(sandbox, "Waiting for approval", since)
    for user in approvers:
        await click(sandbox, user, asked, "run.approve")
    await in_state(sandbox, "Succeeded", since, seconds=120)


async def test_a_member_is_replaced(make_sandbox: MakeSandbox) -> None:
    """Afterwards three vote again; the promotion is refused as long as the learner is not there."""
    sandbox = await make_sandbox()
    row = next(s.listed for s in (await seen(sandbox)).seen if s.listed and s.name == "demo-3")
    await approved(sandbox, "member remove demo-3", "bob", "carol")
    await sandbox.cluster("demo-3", "wipe")
    await approved(sandbox, f"member add demo-3 {row.peer_urls[0]}", "bob")
    (new,) = [s.listed for s in (await seen(sandbox)).seen if s.listed and s.listed.learner]
    assert new.id != row.id
    assert not new.started
    since = await sandbox.moment()
    await sandbox.accepted(f"member promote {new.id}")
    refused = await in_state(sandbox, "Refused", since)
    assert "was added and has never started (R6)" in refused.text
    await sandbox.cluster("demo-3", "start")

    async def started() -> bool:
        members = (await seen(sandbox)).members
        return next(each for each in members if each.id == new.id).health is Health.HEALTHY

    await eventually(started, 30, "the learner serves reads")
    await approved(sandbox, "member promote demo-3", "bob")
    answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert answer.headline.startswith("demo: healthy, 3 of 3 members")


async def test_an_addition_is_taken_back_by_its_button(make_sandbox: MakeSandbox) -> None:
    """The undo removes the very member that was added; it needs two people, as any removal."""
    sandbox = await make_sandbox()
    before = {s.name for s in (await seen(sandbox)).seen}
    since = await sandbox.moment()
    await sandbox.accepted("member add demo-4 https://127.0.0.1:1")
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    done = await in_state(sandbox, "Succeeded", since)
    (new,) = [s.listed for s in (await seen(sandbox)).seen if s.listed and s.listed.learner]
    since = await sandbox.moment()
    await click(sandbox, "alice", done, "run.undo")
    asked = await in_state(sandbox, "Waiting for approval", since)
    assert f"Remove member {new.id} from demo" in asked.text
    for user in ("bob", "carol"):
        await click(sandbox, user, asked, "run.approve")
    await in_state(sandbox, "Succeeded", since)
    assert {s.name for s in (await seen(sandbox)).seen} == before
