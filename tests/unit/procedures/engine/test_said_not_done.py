"""A person says that a step did not happen, and its host is back with what it did meanwhile."""

import asyncio
from collections.abc import Sequence

from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.events import Settled
from procedures.model.run import State
from tests.support.theatre import BOB, a_theatre
from tests.unit.procedures.engine.cases import CASES


async def test_a_command_that_nobody_could_ask_about_is_not_run_twice() -> None:
    """It ended well while its host was out of reach: what it printed is said, and it counts."""
    case, back = CASES["back up a v2 store"], asyncio.Event()
    theatre = a_theatre(case.procedure, case.args)
    case.ready(theatre)
    await theatre.approved()

    async def tar(machine: FakeMachine, _: Sequence[str], __: bytes, say: Say) -> int:
        await say("packing")
        machine.cut_off()
        await back.wait()
        await say("packed")
        return 0

    for each in theatre.sight.hosts.machines.values():
        each.programs["tar"] = tar
    await theatre.work()
    assert theatre.run.state is State.IN_DOUBT
    assert theatre.run.doubt is not None
    number = theatre.run.doubt.step
    theatre.append(Settled(number, "not_happened", BOB))
    back.set()
    for each in theatre.sight.hosts.machines.values():
        each.mend()
    pen = await theatre.work()
    step = theatre.run.steps[number]
    assert (step.state, step.found, step.attempts) == ("done", True, 1)
    assert len([each for each in theatre.effects if ": tar " in each]) == 1
    assert "packed" in pen.said
