"""A plan that is too long for one message: all of it is in the thread before it can be decided."""

import pytest

from procedures.model.events import Began, Planned
from procedures.model.plan import Plan
from tests.integration.showing.stage import Stage, Wire
from tests.support.plans import a_plan, actions, approved, codes, words

SIXTY = a_plan([f"etcdctl put key-{n} {'value' * 30}" for n in range(60)])
HUGE = a_plan(["etcdctl put key " + "".join(chr(97 + n % 26) for n in range(9_000))])


async def plan_in(stage: Stage, root: Wire) -> tuple[list[Wire], str]:
    """The messages of the plan, and all code in them."""
    parts = await stage.said(root, "Plan of run")
    return parts, "".join(code for part in parts for code in codes(part["blocks"]))


async def posted_before_the_buttons(stage: Stage, parts: list[Wire]) -> bool:
    """Whether no version of the main message had buttons before all parts were there."""
    last = max(part["ts"] for part in parts)
    calls = [
        call
        for method in ("chat.postMessage", "chat.update")
        for call in await stage.calls(method)
        if not call["args"].get("thread_ts") and call["args"]["channel"] == "C0OPS"
    ]
    early = [call for call in calls if call["at"] < float(last)]
    return not any("run.approve" in str(call["args"]["blocks"]) for call in early)


@pytest.mark.parametrize("plan", [SIXTY, HUGE], ids=["sixty", "huge"])
async def test_all_of_it_is_in_the_thread_first(stage: Stage, plan: Plan) -> None:
    """Numbered, with the digest, nothing lost; the main message leads there, then has buttons."""
    name = await stage.took_up()
    await stage.write(name, Planned(plan, 1))
    async with stage.showing():
        await stage.settled()
        root = await stage.main("Waiting for approval: ")
    parts, code = await plan_in(stage, root)
    assert code == "".join(step.command for step in plan.steps)
    numbers = [f"part {n} of {len(parts)}" for n in range(1, len(parts) + 1)]
    assert [part["text"].rpartition(", ")[2] for part in parts] == numbers
    assert all(plan.digest in words(part["blocks"]) for part in parts)
    assert "run.approve" in actions(root["blocks"])
    assert f"p{parts[0]['ts'].replace('.', '')}" in words(root["blocks"])
    assert await posted_before_the_buttons(stage, parts)
    assert len(await stage.said(root, "<!subteam^")) == 1


@pytest.mark.parametrize("after", range(1, 7))
async def test_a_front_that_dies_in_between(stage: Stage, after: int) -> None:
    """The next one goes on where it stopped: no part is missing or doubled, and no button early."""
    name = await stage.took_up()
    await stage.write(name, Planned(SIXTY, 1))
    await stage.killed_after(after)
    async with stage.showing():
        await stage.settled()
        root = await stage.main("Waiting for approval: ")
    parts, code = await plan_in(stage, root)
    assert code == "".join(step.command for step in SIXTY.steps)
    assert "run.approve" in actions(root["blocks"])
    assert await posted_before_the_buttons(stage, parts)


async def test_no_buttons_while_a_part_is_missing(stage: Stage) -> None:
    """Slack takes the first messages and then none for a while."""
    name = await stage.asked()
    await stage.write(name, Began("w"))
    async with stage.showing():
        root = await stage.main("Planning: ")
        await stage.control.post("faults", kind="rate_limit", retry_after=2, count=1)
        await stage.write(name, Planned(SIXTY, 1))
        await stage.settled()
        root = await stage.main("Waiting for approval: ")
    parts, code = await plan_in(stage, root)
    assert code == "".join(step.command for step in SIXTY.steps)
    assert await posted_before_the_buttons(stage, parts)


async def test_a_new_plan_is_posted_as_well(stage: Stage) -> None:
    """When the cluster has changed, what people decide on is the new plan, in full again."""
    name = await stage.took_up()
    await stage.write(name, Planned(SIXTY, 1))
    other = a_plan([f"etcdctl del key-{n} {'value' * 30}" for n in range(60)])
    async with stage.showing():
        await stage.settled()
        await stage.write(name, *approved(SIXTY)[1:], Planned(other, 1))
        await stage.settled()
        root = await stage.main("Waiting for approval: ")
    _, code = await plan_in(stage, root)
    assert code == "".join(step.command for plan in (SIXTY, other) for step in plan.steps)
    assert root["metadata"]["event_payload"]["digest"] == other.digest
    assert "decide again" in words(root["blocks"])
    assert len(await stage.said(root, "<!subteam^")) == 2
