"""Who did what, and when, in words."""

from dataclasses import replace

import pytest

from bot.event_words import event_line
from procedures.model.events import (
    Asked,
    Began,
    CancelAsked,
    Cancelled,
    Done,
    Doubted,
    Entry,
    Event,
    Expired,
    Failed,
    Held,
    Planned,
    PutOff,
    RefusedBy,
    Reported,
    Resumed,
    Settled,
    Started,
    Succeeded,
    Took,
)
from tests.support.plans import BOB, NOW_MS, RUN, a_change, a_plan, a_run, approved

PLAN = a_plan()
ID = f"plan {PLAN.digest[:12]}"
STEP = "(Do the thing number 1)"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            a_change(reason="so"),
            "<@U0ALICE>: asked for etcd member fix-peer-url demo-1 https://a:1 on demo, reason: so",
        ),
        (
            replace(a_change(), command="etcd defrag", args={"member": "a", "anyway": True}),
            "<@U0ALICE>: asked for etcd defrag a --anyway on demo",
        ),
        (Began("host-1"), "worker-1: took it up"),
        (
            Planned(PLAN, 1),
            f"worker-1: planned {PLAN.title}, reversible, approvals needed: 1, {ID}",
        ),
        (approved(PLAN)[1], f"<@U0BOB>: approve, {ID}"),
        (approved(PLAN)[2], f"worker-1: approved, counted: <@U0BOB>, {ID}"),
        (Held("it is paused."), "worker-1: may not begin yet: it is paused."),
        (Took(1), "worker-1: has the cluster to itself now"),
        (Started(1, 2), f"worker-1: began step 1 {STEP}, attempt 2"),
        (Done(1, None), f"worker-1: did step 1 {STEP}"),
        (Done(1, None, found=True), f"worker-1: found step 1 {STEP} done"),
        (
            PutOff(1, 2, 3, 10_000, "it is away."),
            f"worker-1: puts step 1 {STEP} off after attempt 2: it is away.",
        ),
        (Asked(1, 1), f"worker-1: asked people for step 1 {STEP}"),
        (
            Asked(1, 2, "it is closed."),
            f"worker-1: asked people for step 1 {STEP}, still missing: it is closed.",
        ),
        (Reported(1, 2, BOB), f"<@U0BOB>: said of step 1 {STEP}: it is done"),
        (Doubted(9, "no answer."), "worker-1: in doubt about step 9: no answer."),
        (Settled(1, "stop", BOB), f"<@U0BOB>: said of step 1 {STEP}: stop here"),
        (CancelAsked(BOB), "<@U0BOB>: asked for its end"),
        (Resumed(BOB), "<@U0BOB>: lets it go on at its failed step"),
        (RefusedBy("R2: too few."), "worker-1: refused, R2: too few."),
        (Failed("it broke."), "worker-1: failed, it broke."),
        (Cancelled("nothing was done."), "worker-1: cancelled, nothing was done."),
        (Expired("nobody."), "worker-1: expired, nobody."),
        (Succeeded(), "worker-1: succeeded"),
    ],
)
def test_each_event_says_who_and_what(event: Event, words: str) -> None:
    """The person where one acted, else the process that wrote it; the moment to the second."""
    entry = Entry(RUN, 3, "", NOW_MS, "worker-1", event)
    line = event_line(entry, a_run(*approved(PLAN)))
    assert line == f"3. 2023-11-14 22:13:20 UTC, {words}"
