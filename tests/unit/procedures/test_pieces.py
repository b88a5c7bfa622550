"""Pieces of interrupted steps: what they printed is taken in by whoever looks for them."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.pieces import Piece, do, ended, reach, settled
from procedures.engine.ports import Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import At, Ended, Lost, Machine, Mark, NeverStarted
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


async def test_another_machine_is_not_worked_on() -> None:
    """It has the name and the address, and was set up anew since it was approved."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()
    machine = await sight.hosts.machine(cluster, cluster.hosts[0])
    assert isinstance(machine, Machine)
    assert await reach(sight, cluster, At("demo-1", machine.machine_id)) is cluster.hosts[0]
    sight.hosts.machines["demo-1"].reinstall()
    with pytest.raises(Permanent, match="demo-1 is another installation than the one"):
        await reach(sight, cluster, At("demo-1", machine.machine_id))


async def test_a_host_that_is_configured_no_more() -> None:
    """Nobody knows how to reach it, or whether it is meant."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()
    with pytest.raises(Permanent, match="demo-9 is not among the hosts of demo any more"):
        await reach(sight, cluster, At("demo-9", ""))


@pytest.mark.parametrize("status", [0, 1])
async def test_only_what_ended_well_has_happened(status: int) -> None:
    """What failed, or was cut off, is done again."""
    sight, heard = a_sight(), Heard()
    (cluster,) = sight.inventory.clusters.values()
    host = cluster.hosts[0]
    machine = await sight.hosts.machine(cluster, host)
    assert isinstance(machine, Machine)

    async def count(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return status

    sight.hosts.machines["demo-1"].programs["count"] = count
    sight.hosts.begin(cluster, host, MARK, PIECE.argv, limit_ms=PIECE.limit_ms)
    work = SimpleNamespace(mark=lambda _: MARK, transcript=lambda _, __: heard)
    at = At("demo-1", machine.machine_id)
    found = await ended(sight, cast("Work", work), cluster, at, PIECE)
    assert isinstance(found, NotHappened if status else Happened)


async def test_nobody_can_tell_of_a_host_that_is_off() -> None:
    """It may have happened there, or happen yet."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()
    machine = await sight.hosts.machine(cluster, cluster.hosts[0])
    assert isinstance(machine, Machine)
    sight.hosts.machines["demo-1"].power_off()
    work = SimpleNamespace(mark=lambda _: MARK, transcript=lambda _, __: Heard())
    at = At("demo-1", machine.machine_id)
    assert isinstance(await ended(sight, cast("Work", work), cluster, at, PIECE), Unclear)


async def _nothing(*_: object) -> None:
    pass


@pytest.mark.parametrize("status", [1, 124])
async def test_a_command_that_fails_ends_the_step(status: int) -> None:
    """With its status; one that was over its limit is said to be so."""
    sight, heard = a_sight(), Heard()
    (cluster,) = sight.inventory.clusters.values()

    async def count(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return status

    sight.hosts.machines["demo-1"].programs["count"] = count
    work = SimpleNamespace(
        mark=lambda _: MARK, transcript=lambda _, __: heard, say=_nothing, guard=_nothing
    )
    with pytest.raises(Permanent, match=f"`count` on demo-1 ended with status {status}") as failed:
        await do(sight, cast("Work", work), cluster, cluster.hosts[0], PIECE)
    assert ("over its limit" in str(failed.value)) is (status == 124)


@pytest.mark.parametrize("error", [InDoubt("the way broke."), Retryable("it is off.")])
async def test_what_cannot_be_looked_for_is_unclear(error: Exception) -> None:
    """It is neither done nor not done."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()

    async def settle(*_: object) -> None:
        raise error

    work = SimpleNamespace(mark=lambda _: MARK, transcript=lambda _, __: Heard())
    world = SimpleNamespace(on_hosts=SimpleNamespace(settle=settle))
    trace = await settled(
        cast("World", world), cast("Work", work), cluster, cluster.hosts[0], PIECE
    )
    assert trace == Unclear(str(error))
