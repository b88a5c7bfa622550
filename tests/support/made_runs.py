"""Runs made up from events, for what is said about them."""

from procedures.model.events import Decided, Entry, Event, Planned, Requested, Requester, Voted
from procedures.model.ids import ChannelId, ClusterName, RunId, Site, TeamId, UserId
from procedures.model.plan import Plan, Risk, Step, Undo
from procedures.model.run import Run, fold

ALICE, BOB, CAROL = UserId("U0ALICE"), UserId("U0BOB"), UserId("U0CAROL")
DEMO, OPS = ClusterName("demo"), ChannelId("C0OPS")
RUN = RunId("r-7K2M9QXD")
START_MS = 1_795_244_400_000
"""2026-11-21 07:00:00 UTC: when the first event of a run is; one minute lies between events."""

UNDO = Undo(
    "/etcd member fix-peer-url a1 https://a:2380",
    "etcd member fix-peer-url",
    {"cluster": "demo", "member": "a1", "url": "https://a:2380"},
)
ADVICE = Undo("Add the host again as a new, empty member.")

REQUEST = Requested(
    command="etcd member fix-peer-url",
    args={"cluster": "demo", "member": "demo-1", "url": "https://b:2380"},
    cluster=DEMO,
    site=Site("default"),
    requester=Requester(ALICE, TeamId("T0"), "alice"),
    channel=OPS,
    reason="it moved",
)


def a_plan(*undos: Undo | None) -> Plan:
    """A plan with a step for each way of undoing it."""
    steps = tuple(
        Step(number, f"Do {number}", "test.do/1", {}, f"do {number}", undo=undo)
        for number, undo in enumerate(undos or (UNDO, None), start=1)
    )
    return Plan(
        procedure=REQUEST.command,
        args=REQUEST.args,
        cluster=DEMO,
        title="Do all of demo",
        risk=Risk.DISRUPTIVE,
        lock="etcd/demo",
        facts=("Quorum: 2 of 3.",),
        steps=steps,
    )


def a_run(*events: Event, request: Requested = REQUEST) -> Run:
    """The run that these events lead to."""
    run = fold(
        Entry(RUN, seq, "", START_MS + seq * 60_000, "w", event)
        for seq, event in enumerate((request, *events))
    )
    assert run is not None
    return run


def approved(plan: Plan, *, needed: int = 1) -> tuple[Event, ...]:
    """Planned, voted by Bob, decided."""
    return (
        Planned(plan, needed),
        Voted(BOB, "approve", plan.digest),
        Decided("approved", plan.digest, ALICE, DEMO, needed, (BOB,), START_MS + 3_600_000),
    )
