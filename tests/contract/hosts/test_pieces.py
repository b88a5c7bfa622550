"""Steps' pieces of work in both worlds: their output, and their end when somebody asks for it."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from procedures.actions.host.pieces import Piece as Command
from procedures.actions.host.pieces import do, settled
from procedures.engine import ports
from procedures.engine.clearing import clear
from procedures.engine.pen import Pen
from procedures.model.host import Ended, Lost, Mark, NeverStarted
from tests.contract.hosts.worlds import WAIT, Gate, Piece, RealWorld, World
from tests.support.transcripts import Heard
from tests.support.waiting import eventually

COUNT = f"seq 1 20; echo begun; {WAIT}; seq 21 40"


@dataclass
class Step(ports.Work):
    """A step's place. `heard` is what is stored; who comes later goes on from there."""

    world: World
    heard: Heard = field(default_factory=Heard)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def around(self) -> ports.World:
        return cast("ports.World", SimpleNamespace(on_hosts=self.world.others()))

    def mark(self, name: str) -> Mark:
        return Mark(self.world.run, 1, 1, name)

    def transcript(self, host: str, mark: Mark) -> Heard:  # noqa: ARG002
        return self.heard

    async def say(self, line: str) -> None: ...

    async def guard(self) -> None: ...

    async def cancelling(self) -> None:
        await self.ended.wait()

    async def pause(self, duration_ms: int) -> None: ...

    async def rest(self, duration_ms: int) -> None: ...


@pytest.mark.parametrize("when", ["it runs", "it has ended", "it was lost"])
async def test_what_was_printed_after_a_worker_died_is_said(
    world: World, gate: Gate, when: str
) -> None:
    """Once, from the line where the dead worker stopped, whatever a step makes of the piece."""
    step, command = Step(world), Command("work", ("sh", "-c", COUNT, gate.path))
    dying = asyncio.create_task(do(step.around, step, world.cluster, world.host, command))
    await eventually(lambda: "begun" in step.heard.lines, 20, "it is under way")
    dying.cancel()
    await asyncio.wait([dying])
    stored = step.heard.lines.index("7") + 1
    del step.heard.lines[stored:]  # the rest was never stored
    step.heard.stored = stored if type(world).__name__ == "MemoryWorld" else 2 * stored
    if when == "it was lost":
        await world.reboot()
    else:
        gate.open()
    if when == "it has ended":

        async def over() -> bool:
            hosts, mark = world.others(), step.mark("work")
            return isinstance(await hosts.settle(world.cluster, world.host, mark), Ended)

        await eventually(over, 20, "it has ended")
    trace = await settled(step.around, step, world.cluster, world.host, command)
    assert trace == (Lost() if when == "it was lost" else Ended(0))
    rest = [str(number) for number in range(21, 41)] if isinstance(trace, Ended) else []
    assert step.heard.lines == [*(str(n) for n in range(1, 21)), "begun", *rest]


@pytest.mark.parametrize("taken_over", [False, True])
async def test_who_asks_for_the_end_stops_the_whole_group(world: World, taken_over: bool) -> None:
    """When that is said nothing of it runs, whoever had begun it; what it printed is said."""
    told = "trap 'n=$((n + 1)); echo told $n' TERM"  # by the wrapper, and perhaps by `timeout`
    script = f"{told}; sleep 60 & echo begun; while :; do wait; done"
    step, command = Step(world), Command("work", ("sh", "-c", script))
    doing = asyncio.create_task(do(step.around, step, world.cluster, world.host, command))
    await eventually(lambda: "begun" in step.heard.lines, 20, "it is under way")
    if taken_over:
        doing.cancel()
        await asyncio.wait([doing])
    step.ended.set()
    if taken_over:
        await settled(step.around, step, world.cluster, world.host, command)
    else:
        with pytest.raises(ports.Cancelling):
            await doing
    trace = await world.hosts.settle(world.cluster, world.host, step.mark("work"))
    assert isinstance(trace, Ended)
    assert trace.status in {137, 143}
    if isinstance(world, RealWorld):
        assert world.heirs() == []
        begun, *rest = step.heard.lines
        assert begun == "begun"
        # A shell may be told again before it has said so, and says the later number twice then.
        assert rest[-1] == f"told {len(rest)}"


async def test_a_run_that_has_ended_leaves_nothing(world: World) -> None:
    """Neither its output nor a way to begin any of it late."""
    assert await Piece(world).run("sh", "-c", "echo printed") == 0
    at = {"at": {"host": world.host.name, "machine_id": "1"}}
    step = SimpleNamespace(number=1, args=at)
    plan = SimpleNamespace(cluster=world.cluster.name, steps=(step,))
    run = SimpleNamespace(id=world.run, plan=plan, steps={1: None})
    pen = SimpleNamespace(run=run, work=lambda _: Step(world))
    cluster = SimpleNamespace(hosts=(world.host,))
    around = SimpleNamespace(
        on_hosts=world.hosts,
        inventory=SimpleNamespace(clusters={world.cluster.name: cluster}),
    )
    if isinstance(world, RealWorld):
        cluster.ssh, cluster.deadline_ms = world.cluster.ssh, world.cluster.deadline_ms
    await clear(cast("Pen", pen), cast("ports.World", around))
    trace = await world.hosts.settle(world.cluster, world.host, Piece(world).mark)
    assert trace == NeverStarted()
    if isinstance(world, RealWorld):
        assert world.state.is_file()
