"""A person says that a step did not happen, and its host is back with what it did meanwhile."""

import asyncio
from collections.abc import Sequence

from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.model.events import CancelAsked, Done, Doubted, Settled, Started
from procedures.model.host import Mark
from procedures.model.platform import layout
from procedures.model.run import State
from tests.support.theatre import BOB, RUN, a_theatre
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


async def test_what_was_stopped_is_started_before_the_run_ends() -> None:
    """An etcd that was stopped, of which nobody could tell, and then somebody asks for the end."""
    theatre = a_theatre("etcd restart", {"member": "demo-2"})
    await theatre.approved()
    assert theatre.run.plan is not None
    steps = {step.action: step.number for step in theatre.run.plan.steps}
    number, machine = steps[RestartEtcd.KIND], theatre.sight.hosts.machines["demo-2"]
    for before in range(1, number):
        theatre.append(Started(before, 1), Done(before, None))
    theatre.append(Started(number, 1))
    (cluster,) = theatre.sight.inventory.clusters.values()
    host = next(each for each in cluster.hosts if each.name == "demo-2")
    mark, argv = Mark(RUN, number, 1, "stop"), layout(cluster.platform).stop
    theatre.sight.hosts.begin(cluster, host, mark, argv, limit_ms=1_000)
    for _ in range(20):
        await asyncio.sleep(0)
    theatre.append(Doubted(number, "nobody can tell."), Settled(number, "not_happened", BOB))
    theatre.append(CancelAsked(BOB))
    await theatre.work()
    assert theatre.run.state is State.CANCELLED, theatre.run.error
    assert machine.units["etcd.service"].active == "active"
