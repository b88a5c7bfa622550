"""Actions that are tried again: only where nothing happened, and never more often than they say."""

from collections.abc import Callable

import pytest

from bot.targets.backups.memory import MemoryBackups
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.model.errors import InDoubt, Permanent, QuorumbotError, Refused, Retryable
from procedures.model.events import CancelAsked, Done, Event, Failed, PutOff, Resumed, Started
from procedures.model.inventory import Cluster
from procedures.model.run import State, StepState
from procedures.model.snapshot import Retention, Snapshot
from tests.support.script import Script
from tests.support.theatre import ALICE, BOB, Theatre, a_theatre

AWAY = "The place for backups is out of reach."
TIMES, WAIT_MS = SaveSnapshot.RETRIES.times, SaveSnapshot.RETRIES.wait_ms


async def made(fault: QuorumbotError | None, *, heals_after: int | None = None) -> Theatre:
    """A backup whose place has a fault, until somebody has waited so often."""
    theatre = a_theatre("etcd backup", {})
    await theatre.approved()
    theatre.backups.fault = fault
    theatre.sight.clock.on_sleep = after_waits(theatre, heals_after)
    return theatre


def after_waits(theatre: Theatre, count: int | None) -> Callable[[], None]:
    def slept() -> None:
        waits = [ms for ms in theatre.sight.clock.slept_ms if ms == WAIT_MS]
        if len(waits) == count:
            theatre.backups.fault = None

    return slept


def of_first_step(theatre: Theatre) -> list[Event]:
    events = [entry.event for entry in theatre.entries]
    return [each for each in events if getattr(each, "step", None) == 1]


def starts(theatre: Theatre) -> list[int]:
    return [each.attempt for each in of_first_step(theatre) if isinstance(each, Started)]


async def test_it_is_tried_until_it_is_done() -> None:
    """Each attempt is journalled with why it did not do, said, and waited for."""
    theatre = await made(Retryable(AWAY), heals_after=2)
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED
    *before, done = of_first_step(theatre)
    assert before == [
        Started(1, 1),
        PutOff(1, 1, 3, WAIT_MS, AWAY),
        Started(1, 2),
        PutOff(1, 2, 3, WAIT_MS, AWAY),
        Started(1, 3),
    ]
    assert isinstance(done, Done)
    assert [line for line in pen.said if line.startswith("attempt")] == [
        f"attempt 2 of 3: {AWAY}",
        f"attempt 3 of 3: {AWAY}",
    ]
    assert theatre.sight.clock.slept_ms.count(WAIT_MS) == 2
    assert theatre.run.steps[1].attempts == 3


async def test_it_is_given_up() -> None:
    """After as many times as the action says; the words say how many."""
    theatre = await made(Retryable(AWAY))
    await theatre.work()
    assert (theatre.run.state, theatre.run.error) == (
        State.FAILED,
        f"step 1: {AWAY} Tried 3 times.",
    )
    assert starts(theatre) == [1, 2, 3]
    assert theatre.sight.clock.slept_ms.count(WAIT_MS) == 2


@pytest.mark.parametrize("error", [Permanent, Refused, InDoubt])
async def test_nothing_else_is_tried_again(error: type[QuorumbotError]) -> None:
    """What lasts, what a rule forbids, and what may have happened."""
    theatre = await made(error("It is so."), heals_after=1)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert starts(theatre) == [1]
    assert not [each for each in of_first_step(theatre) if isinstance(each, PutOff)]


class NeverRotates(MemoryBackups):
    """The place goes away after the snapshot is saved."""

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:  # noqa: ARG002
        raise Retryable(AWAY)


async def test_an_action_that_says_nothing_is_not_tried_again() -> None:
    """None is the default."""
    theatre = await made(None)
    theatre.backups = NeverRotates(theatre.sight.clock)
    await theatre.work()
    assert (theatre.run.state, theatre.run.error) == (State.FAILED, f"step 2: {AWAY}")
    assert theatre.run.steps[2].attempts == 1


async def test_a_cancel_in_the_wait() -> None:
    """The run ends there; nothing happened, and nothing is tried any more."""
    theatre = await made(Retryable(AWAY))
    theatre.sight.clock.on_sleep = lambda: theatre.append(CancelAsked(BOB))
    await theatre.work()
    assert (theatre.run.state, theatre.run.error) == (State.CANCELLED, "nothing was done.")
    assert starts(theatre) == [1]


async def test_a_crash_between_attempts() -> None:
    """Another worker waits as well, goes on with the next number, and does not count anew."""
    theatre = await made(Retryable(AWAY))

    def crash() -> None:
        theatre.holder += 1

    theatre.sight.clock.on_sleep = crash
    await theatre.work()
    assert (theatre.run.steps[1].state, starts(theatre)) == (StepState.PUT_OFF, [1])
    theatre.sight.clock.on_sleep = lambda: None
    pen = await theatre.work()
    assert starts(theatre) == [1, 2, 3]
    assert theatre.sight.clock.slept_ms.count(WAIT_MS) == 3
    assert f"attempt 3 of 3: {AWAY}" in pen.said
    assert theatre.run.state is State.FAILED


@pytest.mark.parametrize("heals_after", [1, 2])
async def test_a_crash_at_any_point(heals_after: int) -> None:
    """It ends as without; no number is used twice or left out, and one backup is there."""
    script = Script()
    await (await made(Retryable(AWAY), heals_after=heals_after)).work(script)
    for point in range(script.passed):
        theatre = await made(Retryable(AWAY), heals_after=heals_after)
        await theatre.work(Script(crash_at=point))
        if not theatre.run.state.final:
            await theatre.work()
        numbers = starts(theatre)
        assert theatre.run.state is State.SUCCEEDED, (point, theatre.run.error)
        assert numbers == list(range(1, len(numbers) + 1)), point
        assert len(theatre.backups.stored) == 1, point


async def test_given_up_whoever_crashes() -> None:
    """As often as without; an attempt that a crash cut short has its number, and is no try."""
    script = Script()
    await (await made(Retryable(AWAY))).work(script)
    for point in range(script.passed):
        theatre = await made(Retryable(AWAY))
        await theatre.work(Script(crash_at=point))
        if not theatre.run.state.final:
            await theatre.work()
        assert theatre.run.state is State.FAILED, point
        assert TIMES <= len(starts(theatre)) <= TIMES + 1, point
        put_offs = sum(isinstance(each, PutOff) for each in of_first_step(theatre))
        assert put_offs == TIMES - 1, point
        assert theatre.run.error == f"step 1: {AWAY} Tried 3 times.", point


async def test_a_resumed_run_has_all_its_tries_anew() -> None:
    """Somebody has looked at it; the numbers go on."""
    theatre = await made(Retryable(AWAY))
    await theatre.work()
    theatre.append(Resumed(ALICE))
    pen = await theatre.work()
    assert starts(theatre) == [1, 2, 3, 4, 5, 6]
    assert [line for line in pen.said if line.startswith("attempt")] == [
        f"attempt 5 of 6: {AWAY}",
        f"attempt 6 of 6: {AWAY}",
    ]
    assert isinstance(theatre.entries[-1].event, Failed)
    assert theatre.run.error == f"step 1: {AWAY} Tried 3 times."
