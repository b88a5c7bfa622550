"""Somebody asks for the end while a step is under way, before anything was sent."""

import asyncio
from collections.abc import Callable, Sequence

from bot.targets.etcd.model import Condition
from bot.targets.ssh import programs
from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.model.events import CancelAsked, Done, Started
from procedures.model.ids import MemberName
from procedures.model.run import State, StepState
from tests.support.platforms import MANIFEST, with_static_pods
from tests.support.script import Crash, Script
from tests.support.theatre import BOB, Theatre, a_theatre

TWO, THREE = MemberName("demo-2"), MemberName("demo-3")
REMOVAL = 3
_LONGER_THAN_ANYBODY_LOOKS = 20_000
"""In turns of the loop."""


async def cancelled(also: Callable[[Theatre], None]) -> Theatre:
    """A removal, right before the call of which somebody asks for the end, and more happens."""
    theatre = a_theatre("etcd member remove", {"member": THREE})
    theatre.sight.demo.members[THREE].condition = Condition.STOPPED
    await theatre.approved()
    for number in range(1, REMOVAL):
        theatre.append(Started(number, 1), Done(number, None))

    def ask() -> None:
        theatre.append(CancelAsked(BOB))
        also(theatre)

    script = Script(at_guard=ask)
    await theatre.work(script)
    assert (script.calls, theatre.effects) == (0, [])
    return theatre


async def test_nothing_was_sent() -> None:
    """The step is not done, no later one is begun, and the words tell what was done before."""
    run = (await cancelled(lambda _: None)).run
    assert run.state is State.CANCELLED
    assert run.steps[REMOVAL].state is StepState.STARTED
    assert max(run.steps) == REMOVAL
    assert run.error == (
        "done before: Save and verify a snapshot; Hand leadership over if it is there. "
        "The rest was not begun."
    )


async def test_it_happened_all_the_same() -> None:
    """Whoever did it: it is told as done."""

    def remove(theatre: Theatre) -> None:
        del theatre.sight.demo.members[THREE]

    run = (await cancelled(remove)).run
    assert run.state is State.CANCELLED
    assert (run.steps[REMOVAL].state, run.steps[REMOVAL].found) == (StepState.DONE, True)
    assert "Remove demo-3" in (run.error or "")


async def test_nobody_can_tell() -> None:
    """Quorum is lost in the same moment: it is in doubt, not cancelled."""

    def lose_quorum(theatre: Theatre) -> None:
        theatre.sight.demo.members[TWO].condition = Condition.STOPPED

    assert (await cancelled(lose_quorum)).run.state is State.IN_DOUBT


async def test_an_etcd_that_was_stopped_is_started_all_the_same() -> None:
    """Half of a restart is no end: the step comes to its own, and nothing follows."""
    theatre = a_theatre("etcd restart", {"member": TWO})
    await theatre.approved()
    unit = theatre.sight.hosts.machines[TWO].units["etcd.service"]

    def ask() -> None:
        if unit.active != "active" and theatre.run.cancel_asked is None:
            theatre.append(CancelAsked(BOB))

    await theatre.work(Script(at_guard=ask))
    assert theatre.run.state is State.CANCELLED
    assert (unit.active, unit.starts) == ("active", 1)
    assert f"Restart etcd on {TWO}" in (theatre.run.error or "")


async def test_a_worker_dies_after_a_stop_and_somebody_asks_for_the_end() -> None:
    """The next one starts what was stopped, whatever the others do meanwhile; then it ends."""
    theatre, crashed = a_theatre("etcd restart", {"member": TWO}), False
    await theatre.approved()
    unit = theatre.sight.hosts.machines[TWO].units["etcd.service"]

    def die() -> None:
        nonlocal crashed
        if unit.active != "active":
            crashed = True
            raise Crash

    await theatre.work(Script(at_guard=die))
    assert crashed
    assert unit.active == "inactive"
    theatre.append(CancelAsked(BOB))
    theatre.sight.demo.members[THREE].condition = Condition.STOPPED
    await theatre.work()
    assert theatre.run.state is State.CANCELLED, theatre.run.error
    assert (unit.active, unit.starts) == ("active", 1)


async def test_a_restart_that_had_stopped_nothing_is_not_begun_anew() -> None:
    """Somebody asks for the end after a worker died: etcd runs as before."""
    theatre = a_theatre("etcd restart", {"member": TWO})
    await theatre.approved()
    unit = theatre.sight.hosts.machines[TWO].units["etcd.service"]

    def die() -> None:
        number = max(theatre.run.steps, default=0)
        if theatre.run.plan and theatre.run.plan.steps[number - 1].action == RestartEtcd.KIND:
            raise Crash

    await theatre.work(Script(at_guard=die))
    theatre.append(CancelAsked(BOB))
    await theatre.work()
    assert theatre.run.state is State.CANCELLED, theatre.run.error
    assert (unit.active, unit.starts) == ("active", 0)


async def test_what_does_not_end_in_time_is_told_as_half_done() -> None:
    """Its manifest is gone, so it ends later, and stays off: that is not nothing."""
    theatre = a_theatre("etcd restart", {"member": TWO})
    with_static_pods(theatre)
    await theatre.approved()
    machine = theatre.sight.hosts.machines[TWO]

    async def runs(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 0

    machine.programs["pgrep"] = runs
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert machine.files.get(MANIFEST) is None
    assert "still runs on demo-2 after 120 s. It is half done: resume" in str(theatre.run.error)


async def test_an_etcd_that_takes_its_time_to_stop_is_started_too() -> None:
    """systemd would stop it all the same, after a run that ended with `systemctl`."""
    theatre = a_theatre("etcd restart", {"member": TWO})
    await theatre.approved()
    machine = theatre.sight.hosts.machines[TWO]
    unit = machine.units["etcd.service"]
    orders: list[asyncio.Task[None]] = []

    async def stop() -> None:
        for _ in range(_LONGER_THAN_ANYBODY_LOOKS):
            if theatre.run.state is State.RUNNING:
                await asyncio.sleep(0)
        unit.stop(machine)

    async def systemctl(_: FakeMachine, argv: Sequence[str], __: bytes, say: Say) -> int:
        if argv[1] == "stop":
            theatre.append(CancelAsked(BOB))
            orders.append(asyncio.create_task(stop()))
            await asyncio.shield(orders[0])
            return 0
        said = programs.perform(machine, argv, b"")
        for line in said.out.splitlines():
            await say(line)
        return said.status

    machine.programs["systemctl"] = systemctl
    await theatre.work()
    await asyncio.gather(*orders)
    assert theatre.run.state is State.CANCELLED
    assert unit.active == "active"
    assert "Restart etcd on demo-2" in (theatre.run.error or "")
