"""What a plan may hold, and how the results of its steps are put in place."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

import pytest

from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Plan, Ref, Risk, SecretRef, Step, plain, resolved
from procedures.model.procedure import Runbook
from procedures.model.quorum import Ruling


@dataclass(frozen=True)
class Inner:
    """A value within a value."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Takes:
    """A step that takes whatever a test gives it."""

    value: object
    KIND: ClassVar[str] = "test.any/1"
    command: str = "do it"
    waits: str | None = None


def a_plan(step: Step) -> Plan:
    return Plan("p", {}, ClusterName("demo"), "t", Risk.REVERSIBLE, "l", (), (step,))


@pytest.mark.parametrize(
    "value",
    [1.5, b"bytes", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), {1: "x"}, {"x"}, object()],
    ids=lambda value: type(value).__name__,
)
def test_what_a_plan_must_not_hold(value: object) -> None:
    """Floats, bytes, times, and whatever is no plain data, wherever it stands."""
    for holder in (value, [value], {"deep": (value,)}, Inner((value,))):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="plan"):
            plain(Takes(holder))


def test_references_are_resolved_where_they_stand() -> None:
    """Deep in lists and maps as well; other values stay as they are."""
    args = plain(Takes({"a": [Ref(1, "the name"), 2], "b": Ref(2, "the id"), "c": None}))
    assert resolved(args, {1: "snap", 2: 7})["value"] == {"a": ["snap", 2], "b": 7, "c": None}


def test_a_reference_to_a_step_without_a_result() -> None:
    """It is a defect of the plan, and never becomes an empty value."""
    with pytest.raises(LookupError):
        resolved(plain(Takes(Ref(3, "it"))), {})


def test_a_plan_names_secrets_and_results_and_holds_neither() -> None:
    """As text they say what they stand for."""
    assert str(Ref(3, "the member id")) == "<the member id from step 3>"
    assert str(SecretRef("redis-password")) == "<secret redis-password>"
    assert plain(Takes(SecretRef("redis-password")))["value"] == {"$secret": "redis-password"}


def test_every_part_is_in_the_digest() -> None:
    """A change anywhere is another plan."""
    step = Step(1, "title", "kind/1", {"a": 1}, "command", "waits")
    steps = (
        Step(1, "another", "kind/1", {"a": 1}, "command", "waits"),
        Step(1, "title", "kind/2", {"a": 1}, "command", "waits"),
        Step(1, "title", "kind/1", {"a": 2}, "command", "waits"),
        Step(1, "title", "kind/1", {"a": 1}, "another", "waits"),
        Step(1, "title", "kind/1", {"a": 1}, "command", None),
    )
    digests = {a_plan(each).digest for each in (step, *steps)}
    assert len(digests) == len(steps) + 1


def test_a_rule_that_stands_against_it() -> None:
    """The refusal names the figures, the rule, and what would satisfy it."""
    run = Runbook()
    ruling = Ruling(allowed=False, rule="R2", because="it would leave 1 healthy of 2")
    with pytest.raises(Refused, match=r"^it would leave 1 healthy of 2 \(R2\)\. Bring b back\.$"):
        run.require(ruling, "Bring b back.")
    run.require(Ruling(allowed=True, rule="R2", because="it is safe"))


def test_a_step_for_people() -> None:
    """What to do stands where a command would; who looks after, and at what, is in the digest."""
    run = Runbook()
    first = run.step("First", Takes(1), gives="host")
    given = run.ask("Open it", how="Open port 1.", check="it is tried.", by=Takes(first))
    bare = run.ask("Tell them", how="Write to them.", check="nothing is looked at.")
    assert (given, bare) == (Ref(2, "result"), Ref(3, "result"))
    _, looked, trusted = run.steps
    assert (looked.action, looked.command) == ("person.ask/1", "Open port 1.")
    assert looked.waits == "for Done from who asked for it or an approver. Then: it is tried."
    assert looked.args["checked_by"] == {
        "kind": "test.any/1",
        "args": {
            "value": {"$step": 1, "what": "host"},
            "command": "do it",
            "waits": None,
        },
    }
    assert trusted.args["checked_by"] is None


def test_steps_are_numbered_and_give_references() -> None:
    """In the order in which they were recorded."""
    run = Runbook()
    first = run.step("First", Takes(1), gives="name")
    second = run.step("Second", Takes(first))
    assert (first, second) == (Ref(1, "name"), Ref(2, "result"))
    assert [(step.number, step.title) for step in run.steps] == [(1, "First"), (2, "Second")]
    assert run.steps[1].args["value"] == {"$step": 1, "what": "name"}
