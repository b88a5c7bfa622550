"""Pieces of interrupted steps: what they printed is taken in by whoever looks for them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.pieces import Piece, do, ended, reach, settled
from procedures.engine.ports import Cancelling, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import At, Ended, Lost, Machine, Mark, NeverStarted, Running
from procedures.model.ids import RunId
from tests.support.sight import FakeSight, a_sight
from tests.support.transcripts import Heard

MARK = Mark(RunId("r-00000001"), 1, 1, "count")
PIECE = Piece("count", ["count"])


@dataclass
class Step(Work):
    """A step's place; it says its own lines where its work's are said."""

    heard: Heard
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has asked for the end of the run."""
    guarded: int = 0

    def mark(self, name: str) -> Mark:  # noqa: ARG002
        return MARK

    def transcript(self, host: str, mark: Mark) -> Heard:  # noqa: ARG002
        return self.heard

    async def say(self, line: str) -> None:
        self.heard.lines.append(line)

    async def guard(self) -> None:
        self.guarded += 1
        if self.ended.is_set():
            raise Cancelling

    async def cancelling(self) -> None:
        await self.ended.wait()

    async def pause(self, duration_ms: int) -> None: ...

    async def rest(self, duration_ms: int) -> None: ...


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
    work = Step(heard)
    world = SimpleNamespace(on_hosts=sight.hosts)
    trace = await settled(cast("World", world), work, cluster, host, PIECE)
    assert trace == (Lost() if when == "after it was lost" else Ended(0))
    assert heard.lines == ["one", "two", "three", "four"]


async def test_what_never_started_has_said_nothing() -> None:
    """And it is not started by looking for it."""
    sight, heard = a_sight(), Heard()
    (cluster,) = sight.inventory.clusters.values()
    work = Step(heard)
    world = SimpleNamespace(on_hosts=sight.hosts)
    host = cluster.hosts[0]
    trace = await settled(cast("World", world), work, cluster, host, PIECE)
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
    work = Step(heard)
    at = At("demo-1", machine.machine_id)
    found = await ended(sight, work, cluster, at, PIECE)
    assert isinstance(found, NotHappened if status else Happened)


async def test_nobody_can_tell_of_a_host_that_is_off() -> None:
    """It may have happened there, or happen yet."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()
    machine = await sight.hosts.machine(cluster, cluster.hosts[0])
    assert isinstance(machine, Machine)
    sight.hosts.machines["demo-1"].power_off()
    work = Step(Heard())
    at = At("demo-1", machine.machine_id)
    assert isinstance(await ended(sight, work, cluster, at, PIECE), Unclear)


@pytest.mark.parametrize("status", [1, 124])
async def test_a_command_that_fails_ends_the_step(status: int) -> None:
    """With its status; one that was over its limit is said to be so."""
    sight, heard = a_sight(), Heard()
    (cluster,) = sight.inventory.clusters.values()

    async def count(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return status

    sight.hosts.machines["demo-1"].programs["count"] = count
    work = Step(heard)
    with pytest.raises(Permanent, match=f"`count` on demo-1 ended with status {status}") as failed:
        await do(sight, work, cluster, cluster.hosts[0], PIECE)
    assert ("over its limit" in str(failed.value)) is (status == 124)


@pytest.mark.parametrize("error", [InDoubt("the way broke."), Retryable("it is off.")])
async def test_what_cannot_be_looked_for_is_unclear(error: Exception) -> None:
    """It is neither done nor not done."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()

    async def settle(*_: object) -> None:
        raise error

    work = Step(Heard())
    world = SimpleNamespace(on_hosts=SimpleNamespace(settle=settle))
    trace = await settled(cast("World", world), work, cluster, cluster.hosts[0], PIECE)
    assert trace == Unclear(str(error))


async def endless(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
    await say("counting")
    await asyncio.Event().wait()
    return 0


async def begun(sight: FakeSight, heard: Heard) -> None:
    """Let the endless piece be under way, and what it has said be stored."""
    machine = sight.hosts.machines["demo-1"]
    while "counting" not in heard.lines:
        await machine.news()
        await asyncio.sleep(0)


async def test_who_asks_for_the_end_stops_what_runs() -> None:
    """It is gone when that is said; the lease is looked at before."""
    sight, work = a_sight(), Step(Heard())
    (cluster,) = sight.inventory.clusters.values()
    machine = sight.hosts.machines["demo-1"]
    machine.programs["count"] = endless
    doing = asyncio.create_task(do(sight, work, cluster, cluster.hosts[0], PIECE))
    await asyncio.sleep(0)
    await begun(sight, work.heard)
    work.ended.set()
    with pytest.raises(Cancelling) as stopped:
        await doing
    assert stopped.value.args == ("count",)
    assert machine.work[(MARK.run, MARK.key)].trace == Ended(143)
    assert work.guarded == 2
    assert work.heard.lines == [
        "demo-1: count",
        "counting",
        "demo-1: somebody has asked for the end: stopping count",
        "demo-1: nothing of it runs any more",
    ]


@pytest.mark.parametrize("how", ["whole", "finish", "systemd"])
async def test_what_has_to_come_to_its_end_is_not_stopped(how: str) -> None:
    """Part of it is worse than all, or goes on without it: the wish is heeded after it."""
    sight, work, go_on = a_sight(), Step(Heard()), asyncio.Event()
    (cluster,) = sight.inventory.clusters.values()

    async def count(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        work.ended.set()
        await say("counting")
        await go_on.wait()
        await say("counted")
        return 0

    program = "systemctl" if how == "systemd" else "count"
    sight.hosts.machines["demo-1"].programs[program] = count
    piece = Piece("count", [program], whole=how == "whole")
    doing = asyncio.create_task(
        do(sight, work, cluster, cluster.hosts[0], piece, finish=how == "finish")
    )
    await asyncio.sleep(0)
    await begun(sight, work.heard)
    go_on.set()
    await doing
    assert work.heard.lines[-2:] == ["counting", "counted"]


@pytest.mark.parametrize("whole", [False, True])
async def test_what_a_lost_worker_left_is_stopped_likewise(whole: bool) -> None:
    """By whoever looks for it, where somebody has asked for the end; what is to be whole is not."""
    sight, work, piece = a_sight(), Step(Heard()), Piece("count", ["count"], whole=whole)
    (cluster,) = sight.inventory.clusters.values()
    host, machine = cluster.hosts[0], sight.hosts.machines["demo-1"]
    machine.programs["count"] = endless
    sight.hosts.begin(cluster, host, MARK, piece.argv, limit_ms=piece.limit_ms)
    work.ended.set()
    looking = asyncio.create_task(settled(sight, work, cluster, host, piece))
    for _ in range(20):
        await asyncio.sleep(0)
    assert looking.done() is not whole
    if not whole:
        assert await looking == Ended(143)
    assert "counting" in work.heard.lines
    looking.cancel()


async def test_what_cannot_be_killed_is_in_doubt() -> None:
    """Neither is the run at its end then, nor is it said that anything is gone."""
    sight, work = a_sight(), Step(Heard())
    (cluster,) = sight.inventory.clusters.values()
    sight.hosts.machines["demo-1"].programs["count"] = endless

    async def stop(*_: object) -> Running:
        return Running()

    on_hosts = SimpleNamespace(run=sight.hosts.run, settle=sight.hosts.settle, stop=stop)
    world = cast("World", SimpleNamespace(on_hosts=on_hosts))
    doing = asyncio.create_task(do(world, work, cluster, cluster.hosts[0], PIECE))
    await asyncio.sleep(0)
    await begun(sight, work.heard)
    work.ended.set()
    with pytest.raises(InDoubt, match="was killed, and still runs"):
        await doing
    found = await settled(world, work, cluster, cluster.hosts[0], PIECE)
    assert isinstance(found, Unclear)
