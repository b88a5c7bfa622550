"""Steps that people do: asked for, said to be done, looked at, asked for again; never lost."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.cancelling import cancelled
from procedures.model.events import Asked, CancelAsked, Doubted, Reported, Settled
from procedures.model.ids import MemberName
from procedures.model.run import State, StepState
from tests.support import by_people
from tests.support.script import Script
from tests.support.theatre import ALICE, BOB, Theatre, a_theatre


async def made() -> Theatre:
    theatre = a_theatre(by_people.PROCEDURE.name, {})
    await theatre.approved()
    return theatre


def quorum(theatre: Theatre, condition: Condition) -> None:
    """Take quorum away, or bring it back: what is looked at after the first step."""
    for name in ("demo-2", "demo-3"):
        theatre.sight.demo.members[MemberName(name)].condition = condition


async def finish(theatre: Theatre, *crashes: int | None) -> list[Script]:
    """Workers and people, in turn, until the end. Workers crash at these points, in turn."""
    scripts = [Script(crash_at=each) for each in (*crashes, None)]
    current = 0
    for _ in range(20):
        if theatre.run.state.waits:
            theatre.report()
        script = scripts[current]
        await theatre.work(script)
        if theatre.run.state.final:
            return scripts
        if script.crash_at is not None and script.passed > script.crash_at:
            current += 1
    pytest.fail(f"it has no end: {theatre.run.state}")


def askings(theatre: Theatre) -> list[str]:
    return [entry.event.id for entry in theatre.entries if isinstance(entry.event, Asked)]


async def test_it_waits_and_goes_on() -> None:
    """Nothing is done before somebody says Done, and each step in its order after."""
    theatre = await made()
    await theatre.work()
    run = theatre.run
    assert (run.state, run.asked, theatre.effects) == (
        State.WAITING_FOR_A_PERSON,
        Asked(1, 1),
        [],
    )
    theatre.report(BOB)
    assert (theatre.run.state, theatre.run.asked) == (State.QUEUED, None)
    await theatre.work()
    assert theatre.run.asked == Asked(3, 1)
    assert len(theatre.effects) == 1
    theatre.report()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED
    assert [step.state for step in theatre.run.steps.values()] == [StepState.DONE] * 3
    assert [step.said_by for step in theatre.run.steps.values()] == [BOB, None, ALICE]


async def test_a_worker_that_comes_while_it_waits() -> None:
    """It neither goes on nor asks again."""
    theatre = await made()
    await theatre.work()
    before = len(theatre.entries)
    await theatre.work()
    assert len(theatre.entries) == before


async def test_a_crash_at_any_point() -> None:
    """People are asked once for each thing, what they said counts, and the rest happens once."""
    calm = await made()
    (script,) = await finish(calm)
    assert script.passed > 10
    for point in range(script.passed):
        theatre = await made()
        crashed, _ = await finish(theatre, point)
        assert crashed.passed == point + 1
        assert theatre.run.state is State.SUCCEEDED, point
        assert theatre.effects == calm.effects, point
        assert askings(theatre) == askings(calm) == ["1.1", "3.1"], point


async def test_a_crash_at_any_two_points() -> None:
    """Also the worker that takes over may crash."""
    calm = await made()
    (script,) = await finish(calm)
    for first in range(script.passed):
        for second in range(first % 3, script.passed - first, 3):
            theatre = await made()
            await finish(theatre, first, second)
            assert theatre.run.state is State.SUCCEEDED, (first, second)
            assert (theatre.effects, askings(theatre)) == (calm.effects, ["1.1", "3.1"])


async def test_what_is_missing_is_said_and_asked_for_again() -> None:
    """As often as it is missing; then it goes on."""
    theatre = await made()
    await theatre.work()
    quorum(theatre, Condition.STOPPED)
    for attempt in (2, 3):
        theatre.report(BOB)
        await theatre.work()
        run = theatre.run
        assert run.state is State.WAITING_FOR_A_PERSON
        assert run.asked is not None
        assert (run.asked.step, run.asked.attempt) == (1, attempt)
        assert run.asked.missing == (
            "No healthy voter is left to call. Look at the cluster's health first."
        )
        assert (run.steps[1].attempts, run.steps[1].said_by) == (attempt, BOB)
    quorum(theatre, Condition.RUNNING)
    await finish(theatre)
    assert theatre.run.state is State.SUCCEEDED
    assert len(theatre.effects) == 1


async def test_a_crash_while_it_looks_asks_nobody_again() -> None:
    """What somebody said stays said: the next worker looks in its place."""
    theatre = await made()
    await theatre.work()
    theatre.report()
    said = len(theatre.entries)
    await theatre.work(Script(crash_at=0))
    assert len(theatre.entries) == said
    states = [theatre.run.steps[1].state]
    await theatre.work()
    states.append(theatre.run.steps[1].state)
    assert states == [StepState.REPORTED, StepState.DONE]


@pytest.mark.parametrize("late", [Reported(1, 2, BOB), Reported(3, 1, BOB), Reported(2, 1, BOB)])
async def test_done_for_what_nobody_asked_counts_for_nothing(late: Reported) -> None:
    """Another step, another time: the run goes on waiting."""
    theatre = await made()
    await theatre.work()
    before = theatre.run
    theatre.append(late)
    assert theatre.run.asked == before.asked
    assert (theatre.run.state, theatre.run.steps) == (before.state, before.steps)


async def test_done_twice_counts_once() -> None:
    """A second report of the same asking does not open the next one."""
    theatre = await made()
    await theatre.work()
    theatre.report()
    theatre.append(Reported(1, 1, BOB))
    await theatre.work()
    theatre.append(Reported(1, 1, BOB))
    assert theatre.run.asked == Asked(3, 1)


async def test_a_cancel_while_it_waits() -> None:
    """It ends at once, and says what was done and what nobody knows of."""
    theatre = await made()
    await theatre.work()
    first = cancelled(theatre.run)
    assert first.error == f"nobody said whether this was done: {by_people.OPEN}."
    theatre.report()
    await theatre.work()
    theatre.append(CancelAsked(ALICE), cancelled(theatre.run))
    assert (theatre.run.state, theatre.run.asked) == (State.CANCELLED, None)
    assert theatre.run.error == (
        "nobody said whether this was done: Tell the network team. "
        f"Done before: {by_people.OPEN}; Set the peer URL. The rest was not begun."
    )


async def test_a_cancel_before_it_looks() -> None:
    """Somebody says Done, somebody else ends it: the worker ends it, and goes on with nothing."""
    theatre = await made()
    await theatre.work()
    theatre.report()
    theatre.append(CancelAsked(BOB))
    await theatre.work()
    assert (theatre.run.state, theatre.effects) == (State.CANCELLED, [])


async def test_a_cancel_that_comes_just_before_it_asks() -> None:
    """It does not wait for people who could only say Done: the worker, or the next, ends it."""
    theatre = await made()
    theatre.append(CancelAsked(BOB), Asked(1, 1))
    assert not theatre.run.state.waits
    await theatre.work()
    assert theatre.run.state is State.CANCELLED


@pytest.mark.parametrize("happened", [True, False])
async def test_a_doubt_about_a_step_of_people(happened: bool) -> None:
    """Where looking broke: a person says that it happened, or it is asked for again."""
    theatre = await made()
    await theatre.work()
    theatre.report()
    theatre.append(Doubted(1, "something broke."))
    theatre.append(Settled(1, "happened" if happened else "not_happened", BOB))
    await theatre.work()
    assert theatre.run.asked == (Asked(3, 1) if happened else Asked(1, 2))
