"""Plans and runs made by hand, and what a message shows of them."""

from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from typing import Any

from procedures.model.events import (
    Decided,
    Entry,
    Event,
    Planned,
    Requested,
    Requester,
    Voted,
)
from procedures.model.ids import ChannelId, ClusterName, RunId, Site, TeamId, UserId
from procedures.model.plan import Plan, Risk, Step, Undo
from procedures.model.run import Run, fold

RUN = RunId("r-00000001")
NOW_MS = 1_700_000_000_000
BOB, CAROL = UserId("U0BOB"), UserId("U0CAROL")


def a_plan(
    commands: Sequence[str] = ("etcdctl member update 1 --peer-urls=https://a:1", "check"),
    *,
    title: str = "Set the peer URL of demo-1 in demo",
    facts: Sequence[str] = ("Quorum: 3 of 3 now, 3 of 3 after.",),
    risk: Risk = Risk.REVERSIBLE,
    undo: str | None = "/etcd member fix-peer-url 1 https://b:1",
) -> Plan:
    """A plan with one step for each command; the first has an undo."""
    return Plan(
        procedure="etcd member fix-peer-url",
        args={"cluster": "demo"},
        cluster=ClusterName("demo"),
        title=title,
        risk=risk,
        lock="etcd/demo",
        facts=tuple(facts),
        steps=tuple(
            Step(
                number,
                f"Do the thing number {number}",
                "test/1",
                {},
                command,
                undo=Undo(undo, "etcd member fix-peer-url") if undo and number == 1 else None,
            )
            for number, command in enumerate(commands, 1)
        ),
    )


def a_change(*, reason: str | None = None, plan_only: bool = False) -> Requested:
    """A request for a change."""
    return Requested(
        command="etcd member fix-peer-url",
        args={"cluster": "demo", "member": "demo-1", "url": "https://a:1"},
        cluster=ClusterName("demo"),
        site=Site("default"),
        requester=Requester(UserId("U0ALICE"), TeamId("T0SANDBOX"), "alice"),
        channel=ChannelId("C0OPS"),
        reason=reason,
        plan_only=plan_only,
    )


def a_run(*events: Event, request: Requested | None = None, name: RunId = RUN) -> Run:
    """What these events, one second apart, make of a run."""
    entries = [
        Entry(name, number, "", NOW_MS + 1_000 * number, "w", event)
        for number, event in enumerate((request or a_change(), *events))
    ]
    run = fold(entries)
    assert run is not None
    return run


def approved(plan: Plan, *voters: UserId, needed: int = 1) -> tuple[Event, ...]:
    """From the plan to its approval."""
    votes = [Voted(voter, "approve", plan.digest) for voter in voters or (BOB,)]
    decided = Decided(
        "approved",
        plan.digest,
        UserId("U0ALICE"),
        plan.cluster,
        needed,
        tuple(voters or (BOB,)),
        NOW_MS + 600_000,
    )
    return (Planned(plan, needed), *votes, decided)


def rejected(plan: Plan, voter: UserId = BOB) -> tuple[Event, ...]:
    """From the plan to its rejection."""
    vote = Voted(voter, "reject", plan.digest)
    decided = Decided("rejected", plan.digest, UserId("U0ALICE"), plan.cluster, 1, (), 0)
    return Planned(plan, 1), vote, decided


def codes(blocks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """All code in blocks, as people see it, in order."""
    for block in blocks:
        if block["type"] == "section":
            for line in block["text"]["text"].split("\n"):
                if len(line) > 2 and line.startswith("`") and line.endswith("`"):
                    yield unescape(line[1:-1])
        if block["type"] == "rich_text":
            for part in block["elements"]:
                if part["type"] == "rich_text_preformatted":
                    yield "".join(leaf["text"] for leaf in part["elements"])


def actions(blocks: Iterable[dict[str, Any]]) -> list[str]:
    """The buttons of a message."""
    return [
        element["action_id"]
        for block in blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def words(blocks: Iterable[dict[str, Any]]) -> str:
    """All text of a message, without its marks for escapes."""
    return "\n".join(unescape(text) for text in _texts(list(blocks)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key in ("title", "text"):
            if isinstance(value.get(key), str):
                yield value[key]
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
