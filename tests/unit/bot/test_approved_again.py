"""A worker believes the votes, counts them again, and starts nothing that they do not carry."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from bot.changing import _unapproved
from procedures.model.events import Decided, Event, Expired, Failed, Planned, Voted
from procedures.model.ids import ClusterName, UserId
from procedures.model.inventory import Approvers, Cluster, Policy
from procedures.model.plan import Risk
from procedures.model.run import Run
from tests.support.plans import BOB, CAROL, NOW_MS, a_plan, a_run
from tests.support.sight import FakeSight, a_sight

PLAN = a_plan(risk=Risk.DESTRUCTIVE)
ALICE, DAVE = UserId("U0ALICE"), UserId("U0DAVE")
DEMO = ClusterName("demo")
NOT_AFTER_MS = NOW_MS + 600_000
SUFFICE = "do not suffice"


def yes(user: UserId) -> Voted:
    return Voted(user, "approve", PLAN.digest)


def a_decision(
    *voters: UserId,
    digest: str = PLAN.digest,
    requester: UserId = ALICE,
    cluster: ClusterName = DEMO,
) -> Decided:
    return Decided("approved", digest, requester, cluster, 2, voters, NOT_AFTER_MS)


def changed(sight: FakeSight, change: Callable[[Cluster], Cluster]) -> None:
    """Let the worker's configuration be another than the front's."""
    clusters = {DEMO: change(sight.inventory.clusters[DEMO])}
    sight.inventory = replace(sight.inventory, clusters=clusters)


def three_needed(sight: FakeSight) -> None:
    changed(sight, lambda cluster: replace(cluster, policy=Policy(destructive=3)))


def one_needed(sight: FakeSight) -> None:
    changed(sight, lambda cluster: replace(cluster, policy=Policy(destructive=1)))


def approvers(*users: UserId) -> Callable[[FakeSight], None]:
    def change(sight: FakeSight) -> None:
        listed = Approvers(users=frozenset(users))
        changed(sight, lambda cluster: replace(cluster, approvers=listed))

    return change


def one_person(*users: UserId) -> Callable[[FakeSight], None]:
    def change(sight: FakeSight) -> None:
        sight.inventory = replace(sight.inventory, people=dict.fromkeys(users, "one"))

    return change


def late(sight: FakeSight) -> None:
    sight.clock.ms = NOT_AFTER_MS + 1


@dataclass(frozen=True)
class Case:
    """What is in the journal after the plan, what the worker knows, and why it starts nothing."""

    events: tuple[Event, ...]
    words: str
    worker: Callable[[FakeSight], None] = field(default=lambda _: None)
    needed: int = 2


BOTH = (yes(BOB), yes(CAROL), a_decision(BOB, CAROL))
CASES = {
    "no decision": Case((yes(BOB), yes(CAROL)), "not approved"),
    "a decision on nothing": Case((a_decision(BOB, CAROL),), SUFFICE),
    "one vote": Case((yes(BOB), a_decision(BOB, CAROL)), SUFFICE),
    "one that the decision does not name": Case((yes(BOB), yes(CAROL), a_decision(BOB)), SUFFICE),
    "the requester's own": Case((yes(BOB), yes(ALICE), a_decision(BOB, ALICE)), SUFFICE),
    "two accounts of one person": Case(BOTH, SUFFICE, one_person(BOB, CAROL)),
    "the requester's other account": Case(BOTH, SUFFICE, one_person(ALICE, CAROL)),
    "no approver here": Case(BOTH, SUFFICE, approvers(BOB, DAVE)),
    "a stricter policy here": Case(BOTH, SUFFICE, three_needed),
    "a laxer policy here": Case((yes(BOB), a_decision(BOB)), SUFFICE, one_needed),
    "none asked for": Case((yes(BOB), a_decision(BOB)), SUFFICE, needed=1),
    "a reject among the voters": Case(
        (Voted(CAROL, "reject", PLAN.digest), yes(BOB), yes(CAROL), a_decision(BOB, CAROL)),
        SUFFICE,
    ),
    "for another requester": Case(
        (*BOTH[:2], a_decision(BOB, CAROL, requester=DAVE)), "another request"
    ),
    "for another cluster": Case(
        (*BOTH[:2], a_decision(BOB, CAROL, cluster=ClusterName("prod"))), "another request"
    ),
}


def a_case(case: Case) -> tuple[Run, FakeSight]:
    sight = a_sight()
    sight.clock.ms = NOW_MS + 10_000
    case.worker(sight)
    return a_run(Planned(PLAN, case.needed), *case.events), sight


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("begun", [False, True])
def test_what_does_not_suffice(name: str, begun: bool) -> None:
    """Neither to begin nor to go on."""
    found = _unapproved(*a_case(CASES[name]), begun=begun)
    assert isinstance(found, Failed)
    assert CASES[name].words in found.error
    assert found.error.endswith("Ask again.")


def test_two_people_suffice() -> None:
    """With the very journal that the cases above spoil."""
    assert _unapproved(*a_case(Case(BOTH, ""))) is None
    assert _unapproved(*a_case(Case(BOTH, "", approvers(BOB, CAROL)))) is None


def test_it_comes_too_late_to_begin() -> None:
    """What has begun goes on."""
    run, sight = a_case(Case(BOTH, "", late))
    assert isinstance(_unapproved(run, sight), Expired)
    assert _unapproved(run, sight, begun=True) is None


def test_what_a_plan_of_another_digest_got_does_not_count() -> None:
    """The worker compares the digest itself, whatever the fold believes."""
    run, sight = a_case(Case(BOTH, ""))
    assert run.decided is not None
    forged = replace(run, decided=replace(run.decided, digest="0" * 64))
    found = _unapproved(forged, sight)
    assert isinstance(found, Failed)
    assert "it is not approved" in found.error
