"""What a terminal prints while it follows a run."""

import pytest

from bot.following import news
from procedures.model.events import (
    Asked,
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
    PutOff,
    RefusedBy,
    Reported,
    Started,
    Succeeded,
    Voted,
)
from procedures.model.run import Run
from tests.support.made_runs import ALICE, BOB, CAROL, DEMO, RUN, START_MS, a_plan, a_run, approved

PLAN = a_plan()
ASKED = f"etcd member fix-peer-url demo-1 https://b:2380 on demo (run {RUN})"
DONE = (*approved(PLAN), Began("w"), Started(1, 1), Done(1, None))
CANCELLED = (CancelAsked(ALICE), Cancelled("done before: Do 1."))
REJECTED = Decided("rejected", PLAN.digest, ALICE, DEMO, 1, (BOB,), START_MS)


def told(*events: Event) -> list[str]:
    """All that is printed, from the request on."""
    lines: list[str] = []
    before: Run | None = None
    for count in range(len(events) + 1):
        now = a_run(*events[:count])
        lines += news(before, now, {})
        before = now
    return lines


STORIES: dict[str, tuple[tuple[Event, ...], list[str]]] = {
    "approved and done": (
        (Began("w"), *DONE, Started(2, 1), Done(2, None), Succeeded()),
        [
            ASKED,
            "Planning",
            "Waiting for approval in <#C0OPS>: Do all of demo, 0 of 1 approvals, until 07:17 UTC",
            "<@U0BOB>: approve, 1 of 1 approvals (<@U0BOB>)",
            "Queued",
            "Running",
            "Step 1 of 2, Do 1: running",
            "Step 1 of 2, Do 1: done",
            "Step 2 of 2, Do 2: running",
            "Step 2 of 2, Do 2: done",
            f"Succeeded: Do all of demo (run {RUN})",
        ],
    ),
    "rejected": (
        (Began("w"), Planned(PLAN, 1), Voted(BOB, "reject", PLAN.digest), REJECTED),
        [
            ASKED,
            "Planning",
            "Waiting for approval in <#C0OPS>: Do all of demo, 0 of 1 approvals, until 07:17 UTC",
            "<@U0BOB>: reject, 0 of 1 approvals",
            f"Rejected: Do all of demo (run {RUN})",
        ],
    ),
    "refused": (
        (Began("w"), RefusedBy("Too few would be left (R2).")),
        [ASKED, "Planning", f"Refused: {ASKED}", "Too few would be left (R2)."],
    ),
    "planned again": (
        (Planned(PLAN, 2), Voted(CAROL, "approve", PLAN.digest), Planned(a_plan(None), 2)),
        [
            ASKED,
            "Waiting for approval in <#C0OPS>: Do all of demo, 0 of 2 approvals, until 07:16 UTC",
            "<@U0CAROL>: approve, 1 of 2 approvals (<@U0CAROL>)",
            (
                "Waiting for approval in <#C0OPS>: Do all of demo, 0 of 2 approvals, "
                "until 07:18 UTC; the cluster has changed, so all is decided again"
            ),
        ],
    ),
}
LATER: dict[str, tuple[tuple[Event, ...], tuple[Event, ...], list[str]]] = {
    "held": (
        approved(PLAN),
        (Held("The cluster is paused."), Began("w")),
        ["Queued: The cluster is paused.", "Running"],
    ),
    "taken over": (
        (*DONE, Started(2, 1)),
        (Began("v"), Started(2, 2)),
        ["Step 2 of 2, Do 2: running, attempt 2"],
    ),
    "found done": (
        (*DONE, Started(2, 1)),
        (Done(2, None, found=True),),
        ["Step 2 of 2, Do 2: done, found done"],
    ),
    "in doubt": (
        (*DONE, Started(2, 1)),
        (Doubted(2, "Nobody answered."),),
        [
            "Step 2 of 2, Do 2: in doubt",
            "In doubt about step 2: Nobody answered. Say what happened in <#C0OPS>.",
        ],
    ),
    "tried again": (
        (*DONE, Started(2, 1)),
        (PutOff(2, 1, 3, 1, "It is away."), Started(2, 2), Done(2, None)),
        [
            "Step 2 of 2, Do 2: waiting to be tried again, attempt 2 of 3: It is away.",
            "Step 2 of 2, Do 2: running, attempt 2 of 3: It is away.",
            "Step 2 of 2, Do 2: done, attempt 2 of 3",
        ],
    ),
    "done by people": (
        DONE,
        (Asked(2, 1), Reported(2, 1, BOB), Began("v"), Asked(2, 2, "It is closed."), *CANCELLED),
        [
            "Step 2 of 2, Do 2: waiting for a person",
            "Waiting for a person in <#C0OPS>",
            "Step 2: Do 2",
            "do 2",
            f"When it is done, press Done, or type /ops done {RUN}",
            "Step 2 of 2, Do 2: said to be done, being checked",
            "Queued",
            "Running",
            "Step 2 of 2, Do 2: waiting for a person, attempt 2",
            "Waiting for a person in <#C0OPS>",
            "Not there yet: It is closed.",
            "Step 2: Do 2",
            "do 2",
            f"When it is done, press Done, or type /ops done {RUN}",
            "<@U0ALICE> asked for its end",
            f"Cancelled: Do all of demo (run {RUN})",
            "done before: Do 1.",
        ],
    ),
    "failed": (
        (*DONE, Started(2, 1)),
        (Failed("step 2: it broke.", 2),),
        [
            "Step 2 of 2, Do 2: failed",
            f"Failed: Do all of demo (run {RUN})",
            "step 2: it broke.",
        ],
    ),
    "cancelled": (
        DONE,
        CANCELLED,
        [
            "<@U0ALICE> asked for its end",
            f"Cancelled: Do all of demo (run {RUN})",
            "done before: Do 1.",
        ],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_from_the_request_to_the_end(story: str) -> None:
    """Each state, vote and step once, in order."""
    events, lines = STORIES[story]
    assert told(*events) == lines


@pytest.mark.parametrize("story", LATER)
def test_what_happens_on_the_way(story: str) -> None:
    """Only what is new is told."""
    before, events, lines = LATER[story]
    assert told(*before, *events)[len(told(*before)) :] == lines
