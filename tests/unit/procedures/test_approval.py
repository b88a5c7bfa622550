"""Who has agreed to a plan: tables over thresholds, people, groups, times and digests."""

from collections.abc import Iterable, Mapping, Sequence

import pytest

from procedures.model.approval import Outcome, Question, Tally, Vote, decide, needed
from procedures.model.ids import UserId
from procedures.model.inventory import Policy
from procedures.model.plan import Risk

PLAN, OTHER_PLAN = "a" * 64, "b" * 64
ASKED_AT, EXPIRES_AT = 1_000, 901_000
BOB, CAROL, DAVE, ALICE = (UserId(f"U0{name}") for name in ("BOB", "CAROL", "DAVE", "ALICE"))
BOB_TOO, ALICE_TOO = UserId("U0BOB2"), UserId("U0ALICE2")
PEOPLE = {BOB: "bob", BOB_TOO: "bob", ALICE: "alice", ALICE_TOO: "alice"}
MAY = frozenset({BOB, BOB_TOO, CAROL, ALICE, ALICE_TOO})


def yes(user: UserId, *, digest: str = PLAN, at_ms: int = 2_000) -> Vote:
    return Vote(user, "approve", digest, at_ms)


def no(user: UserId) -> Vote:
    return Vote(user, "reject", PLAN, 2_000)


def tally(
    votes: Sequence[Vote],
    *,
    least: int = 2,
    risk: Risk = Risk.DESTRUCTIVE,
    may: Iterable[UserId] = MAY,
    people: Mapping[UserId, str] = PEOPLE,
    now_ms: int = 3_000,
) -> Tally:
    question = Question(PLAN, ALICE, risk, least, EXPIRES_AT, people)
    return decide(question, votes, may, now_ms)


@pytest.mark.parametrize(
    ("votes", "outcome", "counted"),
    [
        pytest.param([], Outcome.WAITING, 0, id="nobody"),
        pytest.param([yes(BOB)], Outcome.WAITING, 1, id="one of two"),
        pytest.param([yes(BOB), yes(CAROL)], Outcome.APPROVED, 2, id="two people"),
        pytest.param([yes(BOB), yes(BOB)], Outcome.WAITING, 1, id="the same account twice"),
        pytest.param([yes(BOB), yes(BOB_TOO)], Outcome.WAITING, 1, id="two accounts, one person"),
        pytest.param([yes(ALICE), yes(BOB)], Outcome.WAITING, 1, id="who asked"),
        pytest.param([yes(ALICE_TOO), yes(BOB)], Outcome.WAITING, 1, id="who asked, by another"),
        pytest.param([yes(DAVE), yes(BOB)], Outcome.WAITING, 1, id="somebody who may not"),
        pytest.param([no(DAVE), yes(BOB)], Outcome.WAITING, 1, id="a reject by one who may not"),
        pytest.param([no(ALICE), yes(BOB)], Outcome.WAITING, 1, id="a reject by who asked"),
        pytest.param([no(BOB)], Outcome.REJECTED, 0, id="one reject"),
        pytest.param([yes(BOB), no(BOB)], Outcome.REJECTED, 1, id="a change of mind"),
        pytest.param([no(BOB), yes(BOB), yes(CAROL)], Outcome.REJECTED, 0, id="after a reject"),
        pytest.param([yes(BOB), yes(CAROL), no(BOB)], Outcome.APPROVED, 2, id="a reject too late"),
        pytest.param(
            [yes(BOB, digest=OTHER_PLAN), yes(CAROL)], Outcome.WAITING, 1, id="another plan"
        ),
        pytest.param(
            [yes(BOB), yes(CAROL, at_ms=EXPIRES_AT)], Outcome.WAITING, 1, id="a vote too late"
        ),
    ],
)
def test_two_people_approve_a_removal(votes: list[Vote], outcome: Outcome, counted: int) -> None:
    """Two distinct people who may, other than who asked, on this very plan and in time."""
    found = tally(votes)
    assert (found.outcome, len(found.counted)) == (outcome, counted)


def test_nobody_decided_in_time() -> None:
    """A request expires at its moment, not before; what had been approved stays approved."""
    assert tally([yes(BOB)], now_ms=EXPIRES_AT - 1).outcome is Outcome.WAITING
    assert tally([yes(BOB)], now_ms=EXPIRES_AT).outcome is Outcome.EXPIRED
    assert tally([yes(BOB), yes(CAROL)], now_ms=EXPIRES_AT).outcome is Outcome.APPROVED


@pytest.mark.parametrize("least", [0, -1])
@pytest.mark.parametrize("risk", [Risk.REVERSIBLE, Risk.DISRUPTIVE, Risk.DESTRUCTIVE])
def test_no_number_lets_a_change_through_unapproved(risk: Risk, least: int) -> None:
    """A policy that says none, by mistake or by forgery, still takes one."""
    found = tally([], least=least, risk=risk)
    assert (found.outcome, found.needed) == (Outcome.WAITING, 1)


def test_nobody_need_approve_what_only_reads() -> None:
    """A backup goes ahead."""
    assert tally([], least=0, risk=Risk.READ_ONLY).outcome is Outcome.APPROVED


def test_an_approver_who_may_no_more_does_not_count() -> None:
    """Whoever left the group between their vote and the deciding one."""
    assert tally([yes(BOB), yes(CAROL)], may={CAROL}).outcome is Outcome.WAITING


@pytest.mark.parametrize(
    ("risk", "expected"),
    [(Risk.READ_ONLY, 0), (Risk.REVERSIBLE, 1), (Risk.DISRUPTIVE, 1), (Risk.DESTRUCTIVE, 2)],
)
def test_how_many_by_risk(risk: Risk, expected: int) -> None:
    """The default policy."""
    assert needed(Policy(), "etcd member remove", risk) == expected


def test_a_policy_names_exceptions() -> None:
    """By procedure; and none lowers a change to nobody."""
    policy = Policy(procedures={"etcd member remove": 3, "etcd replace": 0})
    assert needed(policy, "etcd member remove", Risk.DESTRUCTIVE) == 3
    assert needed(policy, "etcd replace", Risk.DESTRUCTIVE) == 1
    assert needed(policy, "etcd backup", Risk.READ_ONLY) == 0
