"""What is said about a run, in lines that people read."""

import pytest

from bot.moments import iso, span
from bot.run_data import plan_data, run_data
from bot.run_words import plan_lines, run_line, run_lines, waiting_line
from procedures.model.events import (
    Asked,
    Began,
    CancelAsked,
    Cancelled,
    Done,
    Doubted,
    Failed,
    Held,
    Planned,
    RefusedBy,
    Started,
    Succeeded,
    Voted,
)
from procedures.model.run import Run
from tests.support.made_runs import ALICE, BOB, RUN, START_MS, a_plan, a_run, approved

PLAN = a_plan()
PLANNED = (Began("w"), Planned(PLAN, 2))
DONE = (*approved(PLAN), Began("w"), Started(1, 1), Done(1, None))
ASKED = "etcd member fix-peer-url demo-1 https://b:2380 on demo"
ABOUT = "demo: etcd member fix-peer-url, asked by <@U0ALICE> in <#C0OPS>, 2026-11-21 07:00 UTC"
WHY = "reason: it moved"
TAIL = f"plan {PLAN.digest}"
APPROVED = ("<@U0BOB>: approve, 2026-11-21 07:02 UTC", "disruptive, 1 of 1 approvals (<@U0BOB>)")
TO_DO = ("1. Do 1: to do", "2. Do 2: to do")
FIRST = "1. Do 1: done, 2026-11-21 07:06 UTC, took 1 min"

LISTED = {
    "planning": (
        a_run(Began("w")),
        f"Planning: {ASKED}, <@U0ALICE>, asked 2026-11-21 07:00 UTC",
    ),
    "waiting": (
        a_run(*PLANNED),
        "Waiting for approval: Do all of demo, <@U0ALICE>, asked 2026-11-21 07:00 UTC",
    ),
    "over": (
        a_run(*DONE, Succeeded()),
        "Succeeded: Do all of demo, <@U0ALICE>, ended 2026-11-21 07:07 UTC",
    ),
    "refused": (
        a_run(Began("w"), RefusedBy("No.")),
        f"Refused: {ASKED}, <@U0ALICE>, ended 2026-11-21 07:02 UTC",
    ),
}


@pytest.mark.parametrize("case", LISTED)
def test_a_line_of_a_list(case: str) -> None:
    """Id, state, what, who, when."""
    run, words = LISTED[case]
    assert run_line(run) == f"{RUN} {words}"


WHOLE: dict[str, tuple[Run | str, ...]] = {
    "waiting": (
        a_run(*PLANNED, Voted(BOB, "approve", PLAN.digest)),
        ABOUT,
        WHY,
        *TO_DO,
        "<@U0BOB>: approve, 2026-11-21 07:03 UTC",
        "disruptive, 1 of 2 approvals (<@U0BOB>)",
        TAIL,
    ),
    "held": (
        a_run(*approved(PLAN), Held("The cluster is paused.")),
        ABOUT,
        "The cluster is paused.",
        WHY,
        *TO_DO,
        *APPROVED,
        TAIL,
    ),
    "under way": (
        a_run(*DONE, Started(2, 1), CancelAsked(ALICE)),
        ABOUT,
        WHY,
        "<@U0ALICE> asked for its end",
        FIRST,
        "2. Do 2: running",
        *APPROVED,
        TAIL,
    ),
    "failed": (
        a_run(*DONE, Started(2, 2), Failed("step 2: it broke.", 2)),
        ABOUT,
        "step 2: it broke.",
        WHY,
        FIRST,
        "2. Do 2: failed, attempt 2, 2026-11-21 07:08 UTC, took 1 min",
        *APPROVED,
        TAIL,
    ),
    "waiting for people": (
        a_run(*DONE, Asked(2, 2, "It is closed.")),
        ABOUT,
        "Not there yet: It is closed.",
        "Step 2: Do 2",
        "do 2",
        WHY,
        FIRST,
        "2. Do 2: waiting for a person, attempt 2",
        *APPROVED,
        TAIL,
    ),
    "refused": (
        a_run(RefusedBy("Too few would be left (R2).")),
        ABOUT,
        "Too few would be left (R2).",
        WHY,
    ),
}
HEADS = {
    "waiting": "Waiting for approval: Do all of demo",
    "held": "Queued: Do all of demo",
    "under way": "Running: Do all of demo",
    "failed": "Failed: Do all of demo",
    "waiting for people": "Waiting for a person: Do all of demo",
    "refused": f"Refused: {ASKED}",
}


@pytest.mark.parametrize("case", WHOLE)
def test_all_about_one_run(case: str) -> None:
    """State, title, error, reason, each step with its state, votes, digest; nothing twice."""
    run, *words = WHOLE[case]
    assert isinstance(run, Run)
    assert run_lines(run, {}) == [f"{HEADS[case]} (run {RUN})", *words]


NOW_MS = START_MS + 10 * 60_000
WAITING = {
    "votes": (a_run(*PLANNED), "waits for 8 min, 0 of 2 approvals, until 07:17 UTC"),
    "one of two": (
        a_run(*PLANNED, Voted(BOB, "approve", PLAN.digest)),
        "waits for 8 min, 1 of 2 approvals (<@U0BOB>), until 07:17 UTC",
    ),
    "the requester's own": (
        a_run(*PLANNED, Voted(ALICE, "approve", PLAN.digest)),
        "waits for 8 min, 0 of 2 approvals, until 07:17 UTC",
    ),
    "people": (
        a_run(*DONE, Asked(2, 1)),
        "waits for 3 min, waiting for a person to do step 2, Do 2",
    ),
    "in doubt": (
        a_run(*DONE, Started(2, 1), Doubted(2, "nobody answered.")),
        "waits for 2 min, in doubt about step 2: nobody answered.",
    ),
}


@pytest.mark.parametrize("case", WAITING)
def test_what_waits_for_a_decision(case: str) -> None:
    """Since when, for what, and until when."""
    run, words = WAITING[case]
    begin = f"{RUN} Do all of demo, asked by <@U0ALICE>, in <#C0OPS>: "
    assert waiting_line(run, {}, NOW_MS) == begin + words


def test_a_whole_plan() -> None:
    """Everything that is decided on is in it."""
    assert plan_lines(a_run(*PLANNED)) == [
        "Do all of demo",
        "Quorum: 2 of 3.",
        "1. Do 1",
        "   do 1",
        "   undo: /etcd member fix-peer-url a1 https://a:2380",
        "2. Do 2",
        "   do 2",
        "disruptive, approvals needed: 2",
        TAIL,
    ]
    data = plan_data(a_run(*PLANNED))
    assert isinstance(data, dict)
    assert (data["digest"], data["needed"]) == (PLAN.digest, 2)
    assert plan_data(a_run()) is None
    assert plan_lines(a_run()) == []


def test_a_run_for_scripts() -> None:
    """Exactly the documented fields; a step that was not begun has no times."""
    assert run_data(a_run(*DONE, CancelAsked(BOB), Cancelled("done before: Do 1."))) == {
        "id": RUN,
        "procedure": "etcd member fix-peer-url",
        "args": {"cluster": "demo", "member": "demo-1", "url": "https://b:2380"},
        "state": "Cancelled",
        "digest": PLAN.digest,
        "requester": "U0ALICE",
        "votes": [{"user": "U0BOB", "decision": "approve", "at": "2026-11-21T07:02:00Z"}],
        "steps": [
            {
                "id": 1,
                "title": "Do 1",
                "state": "done",
                "started_at": "2026-11-21T07:05:00Z",
                "ended_at": "2026-11-21T07:06:00Z",
                "attempts": 1,
            },
            {
                "id": 2,
                "title": "Do 2",
                "state": "to do",
                "started_at": None,
                "ended_at": None,
                "attempts": 0,
            },
        ],
        "cluster": "demo",
        "reason": "it moved",
        "error": "done before: Do 1.",
    }


def test_a_run_without_a_plan_for_scripts() -> None:
    """The same fields, null or empty."""
    data = run_data(a_run())
    assert isinstance(data, dict)
    assert (data["digest"], data["steps"], data["votes"]) == (None, [], [])


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (7_200_000, "2 h"), (2 * 86_400_000, "2 d")],
)
def test_spans(ms: int, words: str) -> None:
    """In the largest unit that fits."""
    assert span(ms) == words


def test_no_moment() -> None:
    """What has not happened has no time."""
    assert iso(None) is None
