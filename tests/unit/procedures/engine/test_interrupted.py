"""Every interrupted point of every procedure: a crash loses nothing and doubles nothing."""

import asyncio

import pytest

from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.model.events import CancelAsked, Doubted, Resumed, Settled
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName
from procedures.model.run import State, StepState
from tests.support.script import Script
from tests.support.theatre import ALICE, BOB, Theatre, a_theatre
from tests.unit.procedures.engine.cases import CASES, Case


def test_every_procedure_has_a_case() -> None:
    """None is left out of the tests below."""
    assert {case.procedure for case in CASES.values()} == set(PROCEDURES)


async def made(case: Case) -> Theatre:
    theatre = a_theatre(case.procedure, case.args)
    case.ready(theatre)
    theatre.sight.hosts.prints = ("begun",)
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
        assert theatre.expected() == calm.expected(), where
        assert len(theatre.backups.stored) == len(calm.backups.stored), where
        assert theatre.backups.copied == calm.backups.copied, where
        assert all(step.state is StepState.DONE for step in theatre.run.steps.values()), where
        assert theatre.unheard() == [], where


@pytest.mark.parametrize("name", CASES)
async def test_a_crash_at_any_two_points(name: str) -> None:
    """Also the worker that takes over may crash. A grid over all pairs, for the time they take."""
    calm, script = await undisturbed(CASES[name])
    for first in range(0, script.passed, max(3, script.passed // 6)):
        for second in range(0, script.passed, max(2, script.passed // 9)):
            theatre = await made(CASES[name])
            await theatre.work(Script(crash_at=first))
            await theatre.work(Script(crash_at=second))
            await theatre.work()
            assert theatre.run.state is State.SUCCEEDED, (first, second, theatre.run.error)
            assert (theatre.members(), theatre.effects) == (calm.members(), calm.effects)
            assert theatre.units() == calm.units(), (first, second)
            assert theatre.expected() == calm.expected(), (first, second)


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
        assert theatre.expected() == calm.expected(), call
        assert set(theatre.effects) == set(calm.effects), call


async def test_who_is_removed_is_expected_no_more() -> None:
    """By the run that removed it; all others are expected where they were."""
    theatre = await made(CASES["remove a dead one"])
    before = theatre.expected()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.expected() == {name: before[name] for name in ("demo-1", "demo-2")}
    (recorded,) = theatre.sight.records.stored.values()
    assert (recorded.run, recorded.version) == (theatre.run.id, 1)


async def test_another_record_than_the_one_that_was_approved() -> None:
    """Somebody has set it meanwhile: the step fails, and changes nothing."""
    theatre = await made(CASES["expect those that are listed"])
    other = Expected({MemberName("demo-1"): "https://10.0.0.1:2379"}, 7)
    theatre.sight.records.stored[ClusterName("demo")] = other
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "are other ones than when this was approved" in (theatre.run.error or "")
    assert theatre.sight.records.stored == {"demo": other}


async def crashed_after_its_call(name: str) -> tuple[Theatre, int]:
    """A run whose worker was lost right after its change, and the step that made it."""
    _, script = await undisturbed(CASES[name])
    for point in range(script.passed):
        theatre = await made(CASES[name])
        await theatre.work(Script(crash_at=point))
        if theatre.effects:
            return theatre, max(theatre.run.steps)
    raise AssertionError(name)


@pytest.mark.parametrize("name", ["remove a dead one", "fix a peer URL"])
async def test_a_cancel_after_a_crash(name: str) -> None:
    """What the lost worker did is looked for before the end says what was done."""
    theatre, number = await crashed_after_its_call(name)
    theatre.append(CancelAsked(BOB))
    await theatre.work()
    run, plan = theatre.run, theatre.run.plan
    assert plan is not None
    assert run.state is State.CANCELLED
    assert run.steps[number].found
    assert plan.steps[number - 1].title in (run.error or "")


@pytest.mark.parametrize("name", ["remove a dead one", "fix a peer URL"])
async def test_a_stop_in_doubt_that_is_resumed(name: str) -> None:
    """What nobody could tell may show now: it is looked for, and not simply done again."""
    theatre, number = await crashed_after_its_call(name)
    theatre.append(Doubted(number, "nobody can tell."), Settled(number, "stop", BOB))
    theatre.append(Resumed(ALICE))
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED
    assert theatre.run.steps[number].found
    assert theatre.run.steps[number].attempts == 1
    assert len(set(theatre.effects)) == len(theatre.effects)


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
