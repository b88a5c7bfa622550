"""Fronts that die, and a Slack that is away: all of it is there in the end, and once."""

from collections import Counter

import pytest

from procedures.model.events import Done, Started, Succeeded
from tests.integration.showing.stage import Stage
from tests.support.plans import a_plan, approved

PLAN = a_plan(["one"])


async def everything_is_there_once(stage: Stage, name: str) -> None:
    root = await stage.main("Succeeded: ")
    thread = await stage.thread(root)
    kinds = Counter(
        "output" if reply["text"].startswith("Output") else "file" if reply.get("files") else "told"
        for reply in thread
    )
    assert kinds == {"output": 1, "told": 1, "file": 1}, [reply["text"] for reply in thread]
    assert [file["name"] for file, _ in await stage.files()] == [f"{name}.log"]
    await stage.incident("Succeeded")


async def ended(stage: Stage) -> str:
    name = await stage.took_up()
    await stage.write(name, *approved(PLAN), Started(1, 1), says=["a line"])
    await stage.write(name, Done(1, None), Succeeded())
    return name


@pytest.mark.parametrize("after", range(1, 9))
async def test_a_front_that_dies_after_any_call(stage: Stage, after: int) -> None:
    """Slack has done what it was asked, and nobody remembers: it is not done again."""
    name = await ended(stage)
    await stage.killed_after(after)
    async with stage.showing():
        await stage.settled()
    await everything_is_there_once(stage, name)


async def test_fronts_that_die_all_the_time(stage: Stage) -> None:
    """Each gets one call further."""
    name = await ended(stage)
    for _ in range(8):
        await stage.killed_after(1)
    async with stage.showing():
        await stage.settled()
    await everything_is_there_once(stage, name)


@pytest.mark.parametrize("kind", ["http_5xx", "rate_limit"])
async def test_any_call_may_fail(stage: Stage, kind: str) -> None:
    """The first three calls of whatever method fail, and then all is shown."""
    await stage.control.post("faults", kind=kind, count=3)
    name = await ended(stage)
    async with stage.showing():
        await stage.settled()
    await everything_is_there_once(stage, name)


async def test_an_outage(stage: Stage) -> None:
    """Slack is away when the run ends, and learns of it when it is back."""
    await stage.control.post("faults", kind="outage", seconds=2)
    name = await ended(stage)
    async with stage.showing():
        await stage.settled(30)
    await everything_is_there_once(stage, name)


async def test_a_channel_that_the_bot_has_left(stage: Stage) -> None:
    """What can never be shown is given up; the incident channel is told all the same."""
    await stage.client().chat_postMessage(channel="C0OPS", text="still there")
    channels = stage.server._workspace.directory.channels
    channels["C0OPS"] = channels["C0RANDOM"]
    await ended(stage)
    async with stage.showing():
        await stage.settled()
    await stage.incident("Succeeded")
