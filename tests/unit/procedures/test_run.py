"""What the events of a journal make of a run, also those that a front or worker wrote too late."""

import pytest

from bot.ports import Verdict
from procedures.model.approval import Outcome
from procedures.model.events import (
    Began,
    CancelAsked,
    Cancelled,
    Decided,
    Done,
    Doubted,
    Event,
    Failed,
    Held,
    Planned,
    Resumed,
    Settled,
    Started,
    Succeeded,
    Voted,
)
from procedures.model.ids import UserId
from procedures.model.plan import Plan
from procedures.model.run import State, StepState
from tests.support.plans import BOB, CAROL, NOW_MS, a_plan, a_run, approved, rejected

PLAN = a_plan()
OTHER = a_plan(title="Another plan")
ALICE = UserId("U0ALICE")


def yes(user: UserId, plan: Plan = PLAN) -> Voted:
    return Voted(user, "approve", plan.digest)


def decided(plan: Plan = PLAN) -> Decided:
    return Decided("approved", plan.digest, ALICE, plan.cluster, 1, (BOB,), 2**53)


def test_a_vote_on_another_plan_is_none() -> None:
    """Whoever wrote it: it is for the digest that it names."""
    assert a_run(Planned(PLAN, 1), yes(BOB, OTHER)).votes == ()


def test_a_decision_on_another_plan_is_none() -> None:
    """The run still waits for one on its own."""
    run = a_run(Planned(PLAN, 1), yes(BOB), decided(OTHER))
    assert (run.state, run.decided) == (State.WAITING_FOR_APPROVAL, None)


def test_another_plan_voids_votes_and_decision() -> None:
    """It is asked for anew, and what it replaced is kept, to show the difference."""
    run = a_run(*approved(PLAN), Began("w"), Planned(OTHER, 1))
    assert run.state is State.WAITING_FOR_APPROVAL
    assert (run.votes, run.decided) == ((), None)
    assert (run.plan, run.before, run.plans) == (OTHER, PLAN, 2)


def test_no_vote_after_the_decision() -> None:
    """Neither another approval nor a late reject changes what was decided."""
    begun = (Planned(PLAN, 1), yes(BOB), decided())
    before = a_run(*begun)
    after = a_run(*begun, yes(CAROL), Voted(CAROL, "reject", PLAN.digest))
    assert (after.votes, after.state, after.decided) == (before.votes, State.QUEUED, decided())


def test_no_decision_after_a_reject() -> None:
    """It is at its end."""
    run = a_run(*rejected(PLAN), yes(CAROL), decided())
    assert run.state is State.REJECTED
    assert run.decided is not None
    assert run.decided.outcome == "rejected"


ENDS: tuple[Event, ...] = (Succeeded(), Cancelled("nothing was done."), Failed("no"))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("late", [Began("w"), Held("why"), Planned(OTHER, 1), Started(1, 1)])
def test_nothing_after_the_end(end: Event, late: Event) -> None:
    """A worker that comes late begins nothing again."""
    before, after = (a_run(*approved(PLAN), end, *more) for more in ((), (late,)))
    assert after == before


def test_only_a_failed_and_approved_run_is_resumed() -> None:
    """Any other stays where it is."""
    assert a_run(*approved(PLAN), Failed("no"), Resumed(ALICE)).state is State.QUEUED
    assert a_run(*approved(PLAN), Succeeded(), Resumed(ALICE)).state is State.SUCCEEDED
    assert a_run(Planned(PLAN, 1), Failed("no"), Resumed(ALICE)).state is State.FAILED
    assert a_run(*rejected(PLAN), Resumed(ALICE)).state is State.REJECTED
    cancelled = (CancelAsked(ALICE), Cancelled("nothing was done."))
    assert a_run(*approved(PLAN), *cancelled, Resumed(ALICE)).state is State.CANCELLED


def test_a_wish_to_cancel_ends_with_the_resumption() -> None:
    """Whoever lets a failed run go on does not have it cancelled by what was asked before."""
    failed = (*approved(PLAN), CancelAsked(BOB), Failed("no"))
    assert a_run(*failed).cancel_asked == BOB
    assert a_run(*failed, Resumed(ALICE)).cancel_asked is None
    assert a_run(*failed, Resumed(ALICE), CancelAsked(BOB)).cancel_asked == BOB


def test_a_step_is_done_only_when_it_was_started() -> None:
    """What nobody began has no result."""
    assert not a_run(*approved(PLAN), Began("w"), Done(1, None)).steps
    assert not a_run(*approved(PLAN), Began("w"), Doubted(1, "who knows")).steps


@pytest.mark.parametrize("verdict", ["happened", "not_happened", "stop"])
def test_a_person_settles_the_step_that_is_in_doubt(verdict: Verdict) -> None:
    """And no other, and none where nothing is in doubt."""
    begun = (*approved(PLAN), Began("w"), Started(1, 1), Done(1, None), Started(2, 1))
    settled = [Settled(step, verdict, BOB) for step in (1, 2)]
    assert a_run(*begun, settled[1]).steps[2].state is StepState.STARTED
    doubted = a_run(*begun, Doubted(2, "who knows"))
    other = a_run(*begun, Doubted(2, "who knows"), settled[0])
    assert (other.state, other.doubt) == (State.IN_DOUBT, doubted.doubt)
    right = a_run(*begun, Doubted(2, "who knows"), settled[1])
    assert right.state is (State.FAILED if verdict == "stop" else State.QUEUED)


def test_nobody_begins_what_people_decide_on() -> None:
    """A worker that was woken without a decision takes nothing out of their hands."""
    assert a_run(Planned(PLAN, 1), Began("w")).state is State.WAITING_FOR_APPROVAL


def test_the_journal_is_counted_with_its_own_expiry() -> None:
    """Votes count until 15 minutes after the plan that they are on, not the first one."""
    run = a_run(Planned(PLAN, 1), Planned(OTHER, 1), yes(BOB, OTHER))
    assert run.question({}).expires_at_ms == NOW_MS + 2_000 + 15 * 60_000
    assert run.tally({}, NOW_MS).outcome is Outcome.APPROVED
