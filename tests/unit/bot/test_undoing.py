"""What takes a run back: ordinary requests, the last step first, and advice where there is none."""

import pytest

from bot.undoing import undoing
from procedures.catalogue import PROCEDURES
from procedures.model.errors import Refused
from procedures.model.events import Began, Done, Event, Failed, Requester, Started, Succeeded
from procedures.model.ids import ChannelId, TeamId
from procedures.model.plan import Ref, Undo
from procedures.model.run import Run
from tests.support.made_runs import ADVICE, CAROL, RUN, UNDO, a_plan, a_run, approved

WHO = Requester(CAROL, TeamId("T0"), "carol")
HERE = ChannelId("C0OTHER")
OTHER = Undo("/etcd member fix-peer-url b2 https://b:2380", UNDO.command, {"cluster": "demo"})


def ran(*undos: Undo | None, done: int, end: Event | None = None) -> Run:
    """A run of which this many steps were done."""
    events: list[Event] = [*approved(a_plan(*undos)), Began("w")]
    for number in range(1, done + 1):
        events += [Started(number, 1), Done(number, None)]
    return a_run(*events, *([end] if end else []))


def test_the_last_step_is_taken_back_first() -> None:
    """One request for each, in the name of whoever asks now, with its arguments."""
    plans = undoing(ran(UNDO, None, OTHER, done=3, end=Succeeded()), WHO, HERE)
    assert [step.number for step, _, _ in plans.requests] == [3, 1]
    assert [typed for _, typed, _ in plans.requests] == [OTHER.words, UNDO.words]
    request = plans.requests[1][2]
    assert (request.command, request.args) == (UNDO.command, UNDO.args)
    assert (request.requester, request.channel) == (WHO, HERE)
    assert request.reason == f"undo of step 1 of run {RUN}"
    assert not request.plan_only
    assert plans.advice == ()


def test_advice_where_no_command_does_it() -> None:
    """It is said, and nothing is asked for."""
    plans = undoing(ran(ADVICE, done=1, end=Succeeded()), WHO, HERE)
    assert plans.requests == ()
    assert plans.advice == ("Step 1 (Do 1): Add the host again as a new, empty member.",)


def test_only_what_was_done_is_taken_back() -> None:
    """A step that failed or was not begun is left out."""
    plans = undoing(ran(UNDO, OTHER, done=1, end=Failed("no.", 2)), WHO, HERE)
    assert [step.number for step, _, _ in plans.requests] == [1]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (ran(UNDO, done=1), f"Run {RUN} is not at its end (running). Cancel it first."),
        (
            ran(UNDO, done=0, end=Failed("no.")),
            f"No step of run {RUN} was done, so there is nothing to undo.",
        ),
        (
            ran(None, done=1, end=Succeeded()),
            f"No step of run {RUN} needs to be taken back.",
        ),
        (a_run(Failed("no.")), f"No step of run {RUN} was done, so there is nothing to undo."),
    ],
)
def test_nothing_to_take_back(run: Run, words: str) -> None:
    """It is said why."""
    with pytest.raises(Refused) as caught:
        undoing(run, WHO, HERE)
    assert str(caught.value) == words


def test_what_only_the_step_itself_shows() -> None:
    """The id that it gave stands in the words and in the arguments of the request."""
    member = Ref(1, "id")
    undo = Undo(f"/etcd member remove {member}", "etcd member remove", {"member": member})
    events = [*approved(a_plan(undo)), Began("w"), Started(1, 1), Done(1, "a004"), Succeeded()]
    ((_, typed, request),) = undoing(a_run(*events), WHO, HERE).requests
    assert typed == "/etcd member remove a004"
    assert request.args == {"member": "a004"}


def test_the_example_is_a_real_procedure() -> None:
    """These tests would pass with any name; the ones that plans carry must exist."""
    assert UNDO.command in PROCEDURES
