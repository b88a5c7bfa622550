"""What people read of each step of a run: done, under way, tried again, asked of them."""

import pytest

from procedures.model.events import (
    Asked,
    Began,
    CancelAsked,
    Cancelled,
    Done,
    Doubted,
    Failed,
    PutOff,
    Reported,
    Resumed,
    Settled,
    Started,
)
from procedures.model.run import State
from tests.support.plans import BOB, actions, codes, words
from tests.support.run_views import HALF, PLAN, STATES, shown


def test_steps_are_tasks_while_it_runs() -> None:
    """The plan block says how far it is, in the present; each task its state and its command."""
    view = shown(*HALF)
    (block,) = [block for block in view.blocks if block["type"] == "plan"]
    assert block["title"] == "Running step 2 of 2"
    assert [task["status"] for task in block["tasks"]] == ["complete", "in_progress"]
    details = block["tasks"][0]["details"]["elements"][0]["elements"][0]
    assert details["text"] == PLAN.steps[0].command


def test_past_tense_at_the_end() -> None:
    """The title says how long it took; what failed is marked, and what was done stays done."""
    (block,) = [b for b in shown(*STATES[State.SUCCEEDED]).blocks if b["type"] == "plan"]
    assert block["title"] == "Finished in 4 s"
    (block,) = [b for b in shown(*STATES[State.FAILED]).blocks if b["type"] == "plan"]
    assert block["title"] == "Failed after 3 s, 1 of 2 steps done"
    assert [task["status"] for task in block["tasks"]] == ["complete", "error"]
    assert "it broke" in words([block["tasks"][1]["output"]])


def test_nothing_is_under_way_after_the_end() -> None:
    """A step that was interrupted for good is not shown as running for ever."""
    (block,) = [b for b in shown(*STATES[State.CANCELLED]).blocks if b["type"] == "plan"]
    assert [task["status"] for task in block["tasks"]] == ["complete", "pending"]


def test_a_retry_is_labelled() -> None:
    """A step that is started again says so; one that was found done says that."""
    events = (*HALF, Failed("step 2: no.", 2), Resumed(BOB), Began("w"), Started(2, 2))
    assert "attempt 2" in words(shown(*events).blocks)
    found = (*HALF, Doubted(2, "unclear"), Settled(2, "happened", BOB))
    assert "found done afterwards" in words(shown(*found).blocks)


@pytest.mark.parametrize("plan_blocks", [True, False])
def test_a_step_that_is_tried_again_says_why(plan_blocks: bool) -> None:
    """While it waits and while it runs, with its number; done, only the number is left."""
    put_off = (*HALF, PutOff(2, 1, 3, 10_000, "it is <away>."))
    for events in (put_off, (*put_off, Started(2, 2))):
        view = shown(*events, plan_blocks=plan_blocks)
        assert "attempt 2 of 3: it is <away>." in words(view.blocks)
        assert "Running step 2 of 2" in words(view.blocks)
    text = words(shown(*put_off, Started(2, 2), Done(2, None), plan_blocks=plan_blocks).blocks)
    assert "attempt 2 of 3" in text
    assert "away" not in text
    ended = shown(*put_off, CancelAsked(BOB), Cancelled("over."), plan_blocks=False)
    assert "2. Do the thing number 2* · to do" in words(ended.blocks)


def test_an_attempt_beyond_what_was_foreseen() -> None:
    """A worker that was lost in the last attempt makes one more: it is only counted."""
    events = (*HALF, PutOff(2, 1, 2, 1, "away."), Started(2, 2), Began("w"), Started(2, 3))
    assert "attempt 3" in words(shown(*events).blocks)
    assert "attempt 3 of" not in words(shown(*events).blocks)


def test_what_people_are_asked_to_do() -> None:
    """What to do stands on top, and the button names this very asking, step and time."""
    view = shown(*STATES[State.WAITING_FOR_A_PERSON])
    assert view.text.splitlines()[1:3] == ["Step 2: Do the thing number 2", "check"]
    assert "Step 2: Do the thing number 2\ncheck\n" in words(view.blocks)
    assert view.blocks[-1]["block_id"] == f"1-{PLAN.digest}-2.1"
    (block,) = [block for block in view.blocks if block["type"] == "plan"]
    assert block["title"] == "Waiting for a person, 1 of 2 steps done"
    assert [task["status"] for task in block["tasks"]] == ["complete", "in_progress"]


@pytest.mark.parametrize("plan_blocks", [True, False])
def test_what_is_missing_is_said_first(plan_blocks: bool) -> None:
    """In the message, and at the step; the button names the new asking."""
    asked = STATES[State.WAITING_FOR_A_PERSON]
    again = (*asked, Reported(2, 1, BOB), Began("w"), Asked(2, 2, "<the port> is closed."))
    view = shown(*again, plan_blocks=plan_blocks)
    assert view.text.splitlines()[1] == "Not there yet: &lt;the port&gt; is closed."
    text = words(view.blocks)
    assert "\nNot there yet: <the port> is closed.\nStep 2: Do the thing number 2" in text
    assert "attempt 2" in text
    assert "not there yet: <the port> is closed." in text
    assert view.blocks[-1]["block_id"] == f"1-{PLAN.digest}-2.2"


def test_done_is_offered_once() -> None:
    """When somebody has said so there is nothing to press, and the step says how it stands."""
    view = shown(*STATES[State.WAITING_FOR_A_PERSON], Reported(2, 1, BOB), plan_blocks=False)
    assert "run.done" not in actions(view.blocks)
    assert "Do the thing number 2* · said to be done, being checked" in words(view.blocks)


def test_sections_where_slack_knows_no_plan_block() -> None:
    """The same steps, states and commands, without the block."""
    view = shown(*HALF, plan_blocks=False)
    assert not [block for block in view.blocks if block["type"] == "plan"]
    text = words(view.blocks)
    assert "1. Do the thing number 1* · done" in text
    assert "2. Do the thing number 2* · running" in text
    assert list(codes(view.blocks)) == [step.command for step in PLAN.steps]
