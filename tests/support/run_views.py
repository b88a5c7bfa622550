"""A changing run in each of its states, and what people see of it."""

from bot.sandbox.workspace.blocks.check import checked_blocks
from bot.sandbox.workspace.blocks.report import Surface
from bot.slack.blocks import View, length
from bot.slack.run_views import Manner, run_view
from bot.slack.text import MESSAGE
from procedures.model.events import (
    Asked,
    Began,
    CancelAsked,
    Cancelled,
    Done,
    Doubted,
    Event,
    Expired,
    Failed,
    Planned,
    RefusedBy,
    Started,
    Succeeded,
)
from procedures.model.run import State
from tests.support.plans import BOB, a_plan, a_run, approved, rejected

PLAN = a_plan()
_APPROVED = (Began("w"), *approved(PLAN), Began("w"))
HALF = (*_APPROVED, Started(1, 1), Done(1, None), Started(2, 1))
"""One step of two is done."""

STATES: dict[State, tuple[Event, ...]] = {
    State.PLANNING: (Began("w"),),
    State.WAITING_FOR_APPROVAL: (Began("w"), Planned(PLAN, 1)),
    State.QUEUED: _APPROVED[:-1],
    State.RUNNING: HALF,
    State.WAITING_FOR_A_PERSON: (*HALF[:-1], Asked(2, 1)),
    State.SUCCEEDED: (*HALF, Done(2, None), Succeeded()),
    State.FAILED: (*HALF, Failed("step 2: it broke.", 2)),
    State.IN_DOUBT: (*HALF, Doubted(2, "nobody can tell.")),
    State.CANCELLED: (*HALF, CancelAsked(BOB), Cancelled("done before: the first.")),
    State.EXPIRED: (Began("w"), Planned(PLAN, 1), Expired("nobody decided in time. Ask again.")),
    State.REJECTED: (Began("w"), *rejected(PLAN)),
    State.REFUSED: (Began("w"), RefusedBy("demo has no quorum (R14).")),
}


def accepted(view: View) -> View:
    """Hold a message against what Slack accepts, and against our own, lower bounds."""
    checked_blocks(list(view.blocks), Surface.MESSAGE)
    assert length(view.blocks) <= 10_000
    assert len(view.text) <= MESSAGE
    return view


def shown(*events: Event, **how: object) -> View:
    """Give the message of a run with these events, as it is posted in this manner."""
    return accepted(run_view(a_run(*events), {}, Manner(**how)))  # type: ignore[arg-type]
