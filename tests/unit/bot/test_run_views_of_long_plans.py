"""Plans of any length: no command is cut, and each message is within Slack's limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.plan_views import is_long, plan_parts
from bot.slack.run_views import Manner, run_view
from bot.slack.text import visible
from procedures.model.events import (
    Asked,
    CancelAsked,
    Cancelled,
    Done,
    Doubted,
    Event,
    Failed,
    Planned,
    PutOff,
    Started,
    Succeeded,
)
from procedures.model.plan import Plan
from procedures.model.run import Run
from tests.support.plans import BOB, CAROL, RUN, a_plan, a_run, actions, approved, codes, words
from tests.support.run_views import accepted, shown


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
