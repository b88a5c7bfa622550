"""Who has to agree to a plan, and whether they have: one pure function."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from procedures.model.ids import UserId
from procedures.model.inventory import Policy
from procedures.model.plan import Risk

EXPIRES_MS = 15 * 60 * 1_000
"""How long people have to decide."""

START_BY_MS = 10 * 60 * 1_000
"""How long an approved run may wait for its start."""


class Outcome(StrEnum):
    """Where a request for approval stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Vote:
    """One click. `digest` is the plan that was on the voter's screen."""

    user: UserId
    decision: Literal["approve", "reject"]
    digest: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Question:
    """What is being decided: a plan by its digest, who asked, and how many must agree.

    `people` maps accounts to the person that they belong to; an account that is not in it is a
    person of its own.
    """

    digest: str
    requester: UserId
    risk: Risk
    needed: int
    expires_at_ms: int
    people: Mapping[UserId, str]


@dataclass(frozen=True, slots=True)
class Tally:
    """The state of a vote. `counted` are the approvals that count now, one for each person."""

    outcome: Outcome
    counted: tuple[Vote, ...]
    needed: int
    rejected_by: UserId | None = None


def needed(policy: Policy, procedure: str, risk: Risk) -> int:
    """How many people other than the requester must approve; none only for what only reads."""
    if risk is Risk.READ_ONLY:
        return 0
    by_risk = {
        Risk.REVERSIBLE: policy.reversible,
        Risk.DISRUPTIVE: policy.disruptive,
        Risk.DESTRUCTIVE: policy.destructive,
    }
    return max(1, policy.procedures.get(procedure, by_risk[risk]))


def person(user: UserId, people: Mapping[UserId, str]) -> str:
    """Whose account it is."""
    return people.get(user, f"account {user}")


def decide(
    question: Question, votes: Sequence[Vote], eligible: Iterable[UserId], now_ms: int
) -> Tally:
    """Decide. `votes` are in the order in which they were cast; `eligible` may vote now.

    Counts one approval of each person who is eligible and not the requester, on this very plan
    and before it expires; the first reject among them ends it. Nothing that is missing ever helps
    towards approval.
    """
    may = set(eligible)
    asks = person(question.requester, question.people)
    approvals: dict[str, Vote] = {}
    least = question.needed if question.risk is Risk.READ_ONLY else max(1, question.needed)
    for vote in votes:
        voter = person(vote.user, question.people)
        if vote.user not in may or voter == asks or vote.digest != question.digest:
            continue
        if vote.at_ms >= question.expires_at_ms:
            continue
        if vote.decision == "reject":
            return Tally(Outcome.REJECTED, tuple(approvals.values()), least, vote.user)
        approvals.setdefault(voter, vote)
        if len(approvals) >= least:
            break
    counted = tuple(approvals.values())
    if len(counted) >= least:
        return Tally(Outcome.APPROVED, counted, least)
    expired = now_ms >= question.expires_at_ms
    return Tally(Outcome.EXPIRED if expired else Outcome.WAITING, counted, least)
