"""Every interrupted point of every procedure: a crash loses nothing and doubles nothing."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.model.ids import MemberName
from procedures.model.inventory import Platform
from procedures.model.run import State, StepState
from tests.support.restoring import lose
from tests.support.script import Script
from tests.support.theatre import Theatre, a_theatre


@dataclass(frozen=True)
class Case:
    """A procedure with arguments, on a cluster that is made ready for it."""

    procedure: str
    args: Mapping[str, str]
    ready: Callable[[Theatre], None] = field(default=lambda _: None)


def stop(name: str) -> Callable[[Theatre], None]:
    """Let a member be down."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName(name)].condition = Condition.STOPPED

    return act


def lost(
    *names: str, off: str | None = None, on: Platform = Platform.ETCD
) -> Callable[[Theatre], None]:
    """Let a cluster with a snapshot lose these members, and a host."""

    def act(theatre: Theatre) -> None:
        lose(theatre, *names, off=(off,) if off else (), platform=on)

    return act


ALL = ("demo-1", "demo-2", "demo-3")
FIX = {"member": "demo-1", "url": "https://10.9.9.9:2380"}
CASES = {
    "backup": Case("etcd backup", {}),
    "remove a dead one": Case("etcd member remove", {"member": "demo-3"}, stop("demo-3")),
    "remove a healthy one": Case("etcd member remove", {"member": "demo-3"}),
    "remove the leader": Case("etcd member remove", {"member": "demo-1"}),
    "fix a peer URL": Case("etcd member fix-peer-url", FIX),
    "restart one": Case("etcd restart", {"member": "demo-2"}),
    "restore after the loss of two": Case("etcd restore", {}, lost("demo-2", "demo-3")),
    "restore after the loss of all": Case("etcd restore", {"on": "demo-2"}, lost(*ALL)),
    "restore where a host is off": Case("etcd restore", {}, lost("demo-1", off="demo-2")),
    "restore static pods": Case("etcd restore", {}, lost("demo-1", "demo-2", on=Platform.OCP311)),
    "move leadership away": Case("etcd move-leader", {}),
    "move leadership to": Case("etcd move-leader", {"to": "demo-3"}),
}


def test_every_procedure_has_a_case() -> None:
    """None is left out of the tests below."""
    assert {case.procedure for case in CASES.values()} == set(PROCEDURES)


async def made(case: Case) -> Theatre:
    theatre = a_theatre(case.procedure, case.args)
    case.ready(theatre)
    await theatre.approved()
    return theatre


async def undisturbed(case: Case) -> tuple[Theatre, Script]:
    theatre, script = await made(case), Script()
    await theatre.work(script)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    return theatre, script


@pytest.mark.parametrize("name", CASES)
async def test_a_crash_at_any_point(name: str) -> None:
    """Another worker brings it to where no crash would have; each effect happened once."""
    calm, script = await undisturbed(CASES[name])
    assert script.passed > 4
    for point in range(script.passed):
        theatre = await made(CASES[name])
        await theatre.work(Script(crash_at=point))
        if not theatre.run.state.final:
            await theatre.work()
        where = f"crashed at point {point}"
        assert theatre.run.state is State.SUCCEEDED, (where, theatre.run.error)
        assert theatre.members() == calm.members(), where
        assert theatre.effects == calm.effects, where
        assert theatre.units() == calm.units(), where
        assert len(theatre.backups.stored) == len(calm.backups.stored), where
        assert all(step.state is StepState.DONE for step in theatre.run.steps.values()), where


@pytest.mark.parametrize("name", CASES)
async def test_a_crash_at_any_two_points(name: str) -> None:
    """Also the worker that takes over may crash."""
    calm, script = await undisturbed(CASES[name])
    # Of a long procedure not each pair: there are thousands.
    for first in range(0, script.passed, max(3, script.passed // 8)):
        for second in range(0, script.passed, max(2, script.passed // 12)):
            theatre = await made(CASES[name])
            await theatre.work(Script(crash_at=first))
            await theatre.work(Script(crash_at=second))
            await theatre.work()
            assert theatre.run.state is State.SUCCEEDED, (first, second, theatre.run.error)
            assert (theatre.members(), theatre.effects) == (calm.members(), calm.effects)
            assert theatre.units() == calm.units(), (first, second)


@pytest.mark.parametrize("name", CASES)
async def test_a_worker_that_stalls_before_a_call(name: str) -> None:
    """It wakes up when another has finished the run: its late call doubles nothing."""
    calm, script = await undisturbed(CASES[name])
    assert script.calls
    for call in range(script.calls):
        theatre = await made(CASES[name])

        def meanwhile(theatre: Theatre = theatre) -> "asyncio.Task[None]":
            async def other() -> None:
                await theatre.work()

            return asyncio.create_task(other())

        await theatre.work(Script(stall_at=call, meanwhile=meanwhile))
        assert theatre.run.state is State.SUCCEEDED, (call, theatre.run.error)
        assert theatre.members() == calm.members(), call
        assert theatre.units() == calm.units(), call
        assert set(theatre.effects) == set(calm.effects), call


async def test_a_removal_that_nobody_can_tell_of() -> None:
    """Quorum is lost between plan and call: the run is in doubt, and the removal may come later."""
    theatre = await made(CASES["remove a dead one"])
    demo = theatre.sight.demo

    def lose_quorum() -> "asyncio.Task[None]":
        async def stopped() -> None:
            demo.members[MemberName("demo-2")].condition = Condition.STOPPED

        return asyncio.create_task(stopped())

    await theatre.work(Script(stall_at=1, meanwhile=lose_quorum))
    run = theatre.run
    assert run.state is State.IN_DOUBT
    assert run.doubt is not None
    assert "may still be carried out" in run.doubt.error
    assert "demo-3" in theatre.members()
    demo.members[MemberName("demo-2")].condition = Condition.RUNNING
