"""What people read of a changing run, in each of its states, within Slack's limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.run_words import headline
from bot.sandbox.workspace.blocks.check import checked_blocks
from bot.sandbox.workspace.blocks.report import Surface
from bot.slack.blocks import View, length
from bot.slack.incident_views import incident_view
from bot.slack.plan_views import is_long, plan_parts
from bot.slack.run_buttons import revision
from bot.slack.run_views import Manner, run_view
from bot.slack.text import MESSAGE, visible
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
    PutOff,
    RefusedBy,
    Reported,
    Resumed,
    Settled,
    Started,
    Succeeded,
    Voted,
)
from procedures.model.plan import Plan, Risk
from procedures.model.run import Run, State
from tests.support.plans import (
    BOB,
    CAROL,
    RUN,
    a_change,
    a_plan,
    a_run,
    actions,
    approved,
    codes,
    rejected,
    words,
)

PLAN = a_plan()
APPROVED = (Began("w"), *approved(PLAN), Began("w"))
HALF = (*APPROVED, Started(1, 1), Done(1, None), Started(2, 1))

STATES: dict[State, tuple[Event, ...]] = {
    State.PLANNING: (Began("w"),),
    State.WAITING_FOR_APPROVAL: (Began("w"), Planned(PLAN, 1)),
    State.QUEUED: APPROVED[:-1],
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
    return accepted(run_view(a_run(*events), {}, Manner(**how)))  # type: ignore[arg-type]


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


def long_plans() -> list[Plan]:
    """Sixty steps; one command of 9,000 characters; both."""
    sixty = [f"etcdctl member update {n} --peer-urls=https://host-{n}:2380" for n in range(60)]
    huge = "etcdctl put key " + "".join(chr(97 + n % 26) for n in range(9_000))
    return [a_plan(sixty), a_plan([huge]), a_plan([*sixty, huge, f"`{huge}`", f"a\n{huge}"])]


@pytest.mark.parametrize("plan", long_plans(), ids=["sixty", "huge", "both"])
def test_a_long_plan_is_posted_whole_before_it_can_be_decided(plan: Plan) -> None:
    """Its messages hold every command; the buttons come when all of them are posted."""
    assert is_long(plan)
    parts = [accepted(part) for part in plan_parts(RUN, plan)]
    assert "".join(code for part in parts for code in codes(part.blocks)) == "".join(
        step.command for step in plan.steps
    )
    assert all(plan.digest in words(part.blocks) for part in parts)
    if len(parts) > 1:
        assert parts[0].text.endswith(f"part 1 of {len(parts)}")

    none, some = shown(Planned(plan, 1)), shown(Planned(plan, 1), posted=len(parts) - 1)
    assert actions(none.blocks) == actions(some.blocks) == []
    assert "is being posted in the thread" in words(none.blocks)
    all_of_it = shown(Planned(plan, 1), posted=len(parts), plan_link="https://x")
    assert actions(all_of_it.blocks)[:2] == ["run.approve", "run.reject"]
    assert "<https://x|in the thread>" in words(all_of_it.blocks)


@pytest.mark.parametrize("done", [0, 1, 25, 55, 60])
@pytest.mark.parametrize("plan_blocks", [True, False])
def test_many_steps_while_they_run(done: int, plan_blocks: bool) -> None:
    """What is under way is among what is shown, and the rest is counted."""
    plan = long_plans()[0]
    events: list[Event] = [*approved(plan)]
    for number in range(1, done + 1):
        events += [Started(number, 1), Done(number, None)]
    if done < 60:
        events.append(Started(done + 1, 1))
    text = words(shown(*events, plan_blocks=plan_blocks, posted=2).blocks)
    if plan_blocks:
        assert f"{min(done + 1, 60)}. Do the thing" in text


SHORT = st.one_of(
    st.text(max_size=100), st.text(alphabet="`&<>ab \n\u202e", min_size=1, max_size=60)
)
LONG = st.integers(2_000, 12_000).map(lambda size: "x&" * (size // 2))
COMMANDS = st.one_of(
    st.lists(st.one_of(SHORT, LONG), min_size=1, max_size=5),
    st.tuples(SHORT, st.integers(5, 70)).map(lambda pair: [pair[0]] * pair[1]),
)
PROSE = st.text(alphabet=st.characters(exclude_characters="`", exclude_categories=["Cs"]))
PLANS = st.builds(
    lambda commands, title, facts, undo: a_plan(commands, title=title, facts=facts, undo=undo),
    COMMANDS,
    PROSE.map(lambda text: f"Do {text}"),
    st.lists(PROSE, max_size=5),
    st.one_of(st.none(), st.text(min_size=1, max_size=4_000)),
)


@settings(max_examples=60, deadline=None)
@given(PLANS)
def test_no_command_is_ever_cut(plan: Plan) -> None:
    """Whatever the plan, what is approved was readable in full, in messages that Slack takes."""
    run = a_run(Planned(plan, 1))
    parts = [accepted(part) for part in plan_parts(RUN, plan)] if is_long(plan) else []
    view = accepted(run_view(run, {}, Manner(posted=len(parts))))
    where = [block for part in parts for block in part.blocks] if parts else view.blocks
    undone = [line for line in words(where).split("\n") if line.startswith("Undo: ")]
    assert undone or not plan.steps[0].undo
    commands = "".join(visible(step.command) for step in plan.steps)
    assert "".join(codes(where)) == commands
    assert "run.approve" in actions(view.blocks)


@settings(max_examples=40, deadline=None)
@given(PLANS, st.booleans(), st.data())
def test_every_state_fits_slack(plan: Plan, plan_blocks: bool, data: st.DataObject) -> None:
    """Whatever the plan, each of its states is a message that Slack takes."""
    last = data.draw(st.integers(1, len(plan.steps)))
    events: list[Event] = [*approved(plan, BOB, CAROL, needed=2)]
    for number in range(1, last + 1):
        events += [Started(number, 1), Done(number, None)]
    error = data.draw(st.text(max_size=6_000))
    ends: list[tuple[Event, ...]] = [
        (),
        (Succeeded(),),
        (Started(last, 2), Failed(error, last)),
        (Started(last, 2), Doubted(last, error)),
        (Asked(last, 2, error),),
        (Started(last, 2), PutOff(last, 2, 3, 1, error)),
        (CancelAsked(BOB), Cancelled(error)),
    ]
    for end in ends:
        run: Run = a_run(*events, *end)
        accepted(run_view(run, {}, Manner(plan_blocks=plan_blocks, posted=99)))
