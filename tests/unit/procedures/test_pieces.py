"""Pieces of interrupted steps: what they printed is taken in by whoever looks for them."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.pieces import Piece, settled
from procedures.engine.ports import Work, World
from procedures.model.host import Ended, Lost, Mark, NeverStarted
from procedures.model.ids import RunId
from tests.support.sight import a_sight
from tests.support.transcripts import Heard

MARK = Mark(RunId("r-00000001"), 1, 1, "count")
PIECE = Piece("count", ["count"])


@pytest.mark.parametrize("when", ["before it ends", "after it ended", "after it was lost"])
async def test_the_rest_of_its_output_is_said(when: str) -> None:
    """From where it was stored, whatever became of it."""
    sight, go_on, heard = a_sight(), asyncio.Event(), Heard()
    (cluster,) = sight.inventory.clusters.values()
    host, machine = cluster.hosts[0], sight.hosts.machines["demo-1"]

    async def count(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        for line in ("one", "two"):
            await say(line)
        await go_on.wait()
        for line in ("three", "four"):
            await say(line)
        if when == "after it was lost":
            await asyncio.Event().wait()
        return 0

    async def printed(count: int) -> None:
        while len(machine.work[(MARK.run, MARK.key)].lines) < count:
            await machine.news()

    machine.programs["count"] = count
    sight.hosts.begin(cluster, host, MARK, PIECE.argv, limit_ms=PIECE.limit_ms)
    await printed(2)
    await heard.say("one", 1)  # of "two", whoever followed it has stored nothing
    go_on.set()
    if when != "before it ends":
        await printed(4)
    if when == "after it was lost":
        machine.reboot()
    work = SimpleNamespace(mark=lambda _: MARK, transcript=lambda _, __: heard)
    world = SimpleNamespace(on_hosts=sight.hosts)
    trace = await settled(cast("World", world), cast("Work", work), cluster, host, PIECE)
    assert trace == (Lost() if when == "after it was lost" else Ended(0))
    assert heard.lines == ["one", "two", "three", "four"]


async def test_what_never_started_has_said_nothing() -> None:
    """And it is not started by looking for it."""
    sight, heard = a_sight(), Heard()
    (cluster,) = sight.inventory.clusters.values()
    work = SimpleNamespace(mark=lambda _: MARK, transcript=lambda _, __: heard)
    world = SimpleNamespace(on_hosts=sight.hosts)
    host = cluster.hosts[0]
    trace = await settled(cast("World", world), cast("Work", work), cluster, host, PIECE)
    assert (trace, heard.lines) == (NeverStarted(), [])
