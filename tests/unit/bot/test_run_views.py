"""What people read of a changing run in each of its states, and what they may press."""

import pytest

from bot.run_words import headline
from bot.slack.incident_views import incident_view
from bot.slack.run_buttons import revision
from bot.slack.run_views import Manner, run_view
from procedures.model.events import (
    Began,
    Done,
    Doubted,
    Planned,
    RefusedBy,
    Settled,
    Started,
    Succeeded,
    Voted,
)
from procedures.model.plan import Risk
from procedures.model.run import State
from tests.support.plans import BOB, RUN, a_change, a_plan, a_run, actions, approved, codes, words
from tests.support.run_views import HALF, PLAN, STATES, accepted, shown


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("plan_blocks", [True, False])
def test_first_words_and_metadata(state: State, plan_blocks: bool) -> None:
    """Whatever the state, the text begins with it, and tools find it."""
    run = a_run(*STATES[state])
    view = accepted(run_view(run, {}, Manner(plan_blocks=plan_blocks)))
    assert run.state is state
    assert view.text.startswith(f"{state}: ")
    assert view.text.startswith(headline(run))
    assert f"(run {RUN})" in view.text.splitlines()[0]
    assert view.metadata == {
        "event_type": "quorumbot_run",
        "event_payload": {
            "run_id": RUN,
            "state": str(state),
            "digest": run.plan.digest if run.plan else "",
            "votes": len([vote for vote in run.votes if vote.decision == "approve"]),
            "needed": run.needed,
        },
    }


@pytest.mark.parametrize("state", STATES)
def test_what_the_incident_channel_is_told(state: State) -> None:
    """The same first words, for people and for tools; nothing to press."""
    view = accepted(incident_view(a_run(*STATES[state]), {}, "https://x"))
    assert view.text.startswith(f"{state}: ")
    assert view.metadata == {
        "event_type": "quorumbot_incident",
        "event_payload": {"run_id": RUN, "state": str(state), "cluster": "demo"},
    }
    assert "<https://x|The run, with its steps and log>" in words(view.blocks)
    assert actions(view.blocks) == []


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        (State.PLANNING, []),
        (State.WAITING_FOR_APPROVAL, ["run.approve", "run.reject", "run.cancel"]),
        (State.QUEUED, ["run.plan", "run.cancel"]),
        (State.RUNNING, ["run.log", "run.plan", "run.cancel"]),
        (State.WAITING_FOR_A_PERSON, ["run.done", "run.log", "run.plan", "run.cancel"]),
        (State.FAILED, ["run.resume", "run.log", "run.plan"]),
        (
            State.IN_DOUBT,
            ["run.happened", "run.not_happened", "run.stop", "run.log", "run.plan"],
        ),
        (State.CANCELLED, ["run.log", "run.plan"]),
        (State.EXPIRED, []),
        (State.REJECTED, []),
        (State.REFUSED, []),
    ],
)
def test_buttons(state: State, buttons: list[str]) -> None:
    """Each state offers what may be done in it, and nothing else."""
    assert actions(shown(*STATES[state]).blocks) == buttons


def test_a_word_on_one_doubt_is_none_on_the_next() -> None:
    """The plan is the same all along; the buttons tell apart which step is meant, and when."""
    plan = approved(a_plan())
    first = (*plan, Started(1, 1), Doubted(1, "unclear"))
    again = (*first, Settled(1, "not_happened", BOB), Started(1, 2), Doubted(1, "unclear"))
    second = (*first, Settled(1, "happened", BOB), Started(2, 1), Doubted(2, "unclear"))
    named = {revision(a_run(*each)) for each in (plan, first, again, second)}
    assert len(named) == 4


def test_undo_is_offered_where_there_is_something_to_undo() -> None:
    """Only of a success with a step that a request takes back."""
    assert "run.undo" in actions(shown(*STATES[State.SUCCEEDED]).blocks)
    assert "run.undo" not in actions(shown(*STATES[State.FAILED]).blocks)
    bare = a_plan(undo=None)
    ended = (*approved(bare), Started(1, 1), Done(1, None), Succeeded())
    assert "run.undo" not in actions(shown(*ended).blocks)


def test_the_order_of_a_plan_that_waits() -> None:
    """What and where; who and why; the facts; each step with its command; votes; buttons."""
    run = a_run(Planned(PLAN, 2), Voted(BOB, "approve", PLAN.digest), request=a_change(reason="R"))
    text = words(accepted(run_view(run, {})).blocks)
    order = [
        "Waiting for approval: Set the peer URL of demo-1 in demo",
        "Asked by <@U0ALICE>",
        "reason: R",
        "Quorum: 3 of 3 now",
        "1. Do the thing number 1",
        "`etcdctl member update 1 --peer-urls=https://a:1`",
        "Undo: /etcd member fix-peer-url 1 https://b:1",
        "2. Do the thing number 2",
        "Approved by <@U0BOB> · 1 of 2 needed",
        "until <!date^",
        "\nApprove\n",
    ]
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_a_destructive_plan_is_confirmed() -> None:
    """Its button is red and asks once more, with title and facts."""
    plan = a_plan(risk=Risk.DESTRUCTIVE)
    (approve, *_) = shown(Planned(plan, 2)).blocks[-1]["elements"]
    assert approve["style"] == "danger"
    assert plan.title in approve["confirm"]["text"]["text"]


def test_a_plan_alone_shows_its_commands_to_the_end() -> None:
    """Who asked for the plan only reads all of it, and that nothing was done."""
    run = a_run(Began("w"), Planned(PLAN, 1), Succeeded(), request=a_change(plan_only=True))
    view = accepted(run_view(run, {}))
    assert list(codes(view.blocks)) == [step.command for step in PLAN.steps]
    assert "nothing was done" in words(view.blocks)
    assert actions(view.blocks) == []


def test_a_changed_plan_says_what_changed() -> None:
    """Votes on the plan before are void, and the difference is on top."""
    now = a_plan(facts=("Quorum: 2 of 3 now.",))
    text = words(shown(Planned(PLAN, 1), Planned(now, 1)).blocks)
    assert "decide again" in text
    assert "before: Quorum: 3 of 3 now, 3 of 3 after." in text
    assert "now: Quorum: 2 of 3 now." in text


def test_a_message_that_replaces_another_says_so() -> None:
    """Whoever finds two traces of a run knows which one counts."""
    assert "replaces one that was deleted" in words(shown(*HALF, earlier="").blocks)
    assert "<https://x|still there>" in words(shown(*HALF, earlier="https://x").blocks)


def test_who_ended_it() -> None:
    """A rejection names who rejected; an end that was asked for names who asked."""
    assert "Rejected by <@U0BOB>" in words(shown(*STATES[State.REJECTED]).blocks)
    assert "end asked for by <@U0BOB>" in words(shown(*STATES[State.CANCELLED]).blocks)


@pytest.mark.parametrize(
    ("why", "begins"),
    [
        ("there is nothing to do.", "There is"),
        ("demo-1 is not reached.", "demo-1 is"),
        ("demo has no quorum.", "demo has"),
        ("etcd-1.example.com leads.", "etcd-1.example.com leads"),
    ],
)
def test_names_are_written_as_they_are(why: str, begins: str) -> None:
    """A sentence begins with a capital, a name does not."""
    view = accepted(run_view(a_run(a_change(), Began("w"), RefusedBy(why)), {}, Manner()))
    assert view.text.splitlines()[1].startswith(begins)
