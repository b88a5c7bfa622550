"""Rule vectors, and the property that no allowed change costs quorum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.model import quorum
from procedures.model.ids import MemberId
from procedures.model.quorum import Health, Member

H, D, U, A = Health.HEALTHY, Health.DOWN, Health.UNKNOWN, Health.ALARMED


def cluster(healths: str, *, leader: int | None = 0) -> tuple[Member, ...]:
    """Write a cluster as letters: h d u a are voters, l and L (down) learners, n never started."""
    kinds = {"h": H, "d": D, "u": U, "a": A, "l": H, "L": D, "n": D}
    return tuple(
        Member(
            MemberId(f"{index + 1:x}"),
            "" if letter == "n" else f"m{index + 1}",
            kinds[letter],
            learner=letter in "lL",
            started=letter != "n",
            leader=index == leader,
        )
        for index, letter in enumerate(healths)
    )


@pytest.mark.parametrize(
    ("voters", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4)]
)
def test_quorum_is_the_majority(voters: int, needed: int) -> None:
    """Half of the voters, rounded down, and one."""
    assert quorum.quorum(voters) == needed


@pytest.mark.parametrize(
    ("members", "left"),
    [
        ("h", 0),
        ("hh", 0),
        ("hd", -1),
        ("hhh", 1),
        ("hhd", 0),
        ("hdd", -1),
        ("hhhh", 1),
        ("hhhhh", 2),
        ("hhhdd", 0),
        ("hhhhhhh", 3),
        ("hhhl", 1),
        ("hha", 0),
        ("hhu", 0),
    ],
)
def test_tolerance_counts_healthy_voters_only(members: str, left: int) -> None:
    """Learners, alarmed and unknown members do not count."""
    assert quorum.tolerance(cluster(members)) == left


# members, index of the target, allowed, rule, tolerance after
REMOVALS = [
    ("h", 0, False, "R2", None),
    ("hh", 0, False, "R2", None),
    ("hd", 1, False, "R14", None),
    ("hd", 0, False, "R14", None),
    ("hhh", 0, True, "R2", 0),
    ("hhd", 2, True, "R2", 0),
    ("hhd", 0, False, "R2", None),
    ("hhu", 2, True, "R2", 0),
    ("hhu", 0, False, "R2", None),
    ("hha", 2, True, "R2", 0),
    ("hdd", 1, False, "R14", None),
    ("hhhh", 3, True, "R2", 1),
    ("hhhd", 3, True, "R2", 1),
    ("hhhd", 0, True, "R2", 0),
    ("hhdd", 3, False, "R14", None),
    ("hhhhh", 4, True, "R2", 1),
    ("hhhdd", 4, True, "R2", 0),
    ("hhhdd", 0, False, "R2", None),
    ("hhhhhhh", 6, True, "R2", 2),
    ("hhhhddd", 6, True, "R2", 0),
    ("hhhhddd", 0, False, "R2", None),
    ("hhhl", 3, True, "R2", 1),
    ("hhhl", 0, False, "R5", None),
    ("hhhn", 3, True, "R2", 1),
    ("hhhn", 0, False, "R5", None),
    ("hhdl", 3, True, "R2", 0),
]


@pytest.mark.parametrize(("members", "target", "allowed", "rule", "left"), REMOVALS)
def test_removal(members: str, target: int, allowed: bool, rule: str, left: int | None) -> None:
    """R2, with R5 and R14 before it."""
    voters = cluster(members)
    ruling = quorum.may_remove(voters, voters[target].id)
    assert (ruling.allowed, ruling.rule, ruling.tolerance_after) == (allowed, rule, left)


def test_a_healthy_pair_becomes_one_only_on_request() -> None:
    """`to_one` is said by the person who asks; a member that may be alive counts as healthy."""
    pair = cluster("hh")
    assert not quorum.may_remove(pair, pair[1].id).allowed
    assert quorum.may_remove(pair, pair[1].id, to_one=True).allowed


# members, as a learner, allowed, rule
ADDITIONS = [
    ("h", True, True, "R3"),
    ("h", False, False, "R6"),
    ("hh", False, True, "R3"),
    ("hhh", False, True, "R3"),
    ("hhh", True, True, "R3"),
    ("hhd", False, False, "R3"),
    ("hhd", True, False, "R3"),
    ("hhu", True, False, "R3"),
    ("hha", True, False, "R3"),
    ("hhhh", False, True, "R3"),
    ("hhhhd", False, False, "R3"),
    ("hhhhh", False, True, "R3"),
    ("hhhhhhh", False, True, "R3"),
    ("hhhl", True, False, "R5"),
    ("hhhn", True, False, "R5"),
    ("hdd", True, False, "R14"),
]


@pytest.mark.parametrize(("members", "learner", "allowed", "rule"), ADDITIONS)
def test_addition(members: str, learner: bool, allowed: bool, rule: str) -> None:
    """R3: nothing is added while anything is unfinished or unwell."""
    ruling = quorum.may_add(cluster(members), learner=learner)
    assert (ruling.allowed, ruling.rule) == (allowed, rule)


# members, index of the target, allowed, rule
RESTARTS = [
    ("h", 0, False, "R10"),
    ("hh", 1, False, "R10"),
    ("hhh", 1, True, "R10"),
    ("hhh", 0, True, "R9"),
    ("hhd", 2, True, "R10"),
    ("hhd", 1, False, "R10"),
    ("hhu", 2, True, "R10"),
    ("hhu", 1, False, "R10"),
    ("hdd", 1, True, "R10"),
    ("hhhh", 1, True, "R10"),
    ("hhhd", 1, False, "R10"),
    ("hhhhd", 1, True, "R10"),
    ("hhhdd", 1, False, "R10"),
    ("hhhhhhh", 3, True, "R10"),
    ("hhhl", 3, True, "R10"),
    ("aaa", 1, False, "R10"),
]


@pytest.mark.parametrize(("members", "target", "allowed", "rule"), RESTARTS)
def test_restart(members: str, target: int, allowed: bool, rule: str) -> None:
    """R10: who is down may come back; anybody else only while the rest has quorum."""
    voters = cluster(members)
    ruling = quorum.may_restart(voters, voters[target].id)
    assert (ruling.allowed, ruling.rule) == (allowed, rule)


# members, index of the target, allowed where an outage is accepted
OUTAGES = [
    ("h", 0, True),
    ("hh", 0, True),
    ("hh", 1, True),
    ("hhl", 1, True),
    ("hd", 0, False),
    ("hd", 1, True),
    ("a", 0, False),
    ("u", 0, False),
    ("ha", 0, False),
    ("hhd", 0, False),
    ("hhdd", 0, False),
    ("hhhdd", 0, False),
]


@pytest.mark.parametrize(("members", "target", "allowed"), OUTAGES)
def test_restart_with_an_outage(members: str, target: int, allowed: bool) -> None:
    """R10: only where no voter can ever be spared, and all of them are healthy."""
    voters = cluster(members)
    assert quorum.may_restart(voters, voters[target].id, outage=True).allowed is allowed


# members, index of the target, allowed
HEIRS = [
    ("hhh", 1, True),
    ("hhd", 1, True),
    ("hhd", 2, False),
    ("hhu", 2, False),
    ("hha", 2, False),
    ("hhhl", 3, False),
    ("hhhn", 3, False),
]


@pytest.mark.parametrize(("members", "target", "allowed"), HEIRS)
def test_heir(members: str, target: int, allowed: bool) -> None:
    """R9: only a voter that is known to be healthy takes leadership over."""
    voters = cluster(members)
    ruling = quorum.may_lead(voters, voters[target].id)
    assert (ruling.allowed, ruling.rule) == (allowed, "R9")


# members, index of the target, how far it and the leader are in the log, allowed, rule, tolerance
PROMOTIONS = [
    ("hhhl", 3, (100, 100), True, "R6", 1),
    ("hhhl", 3, (90, 100), True, "R6", 1),
    ("hhhl", 3, (89, 100), False, "R6", None),
    ("hhhl", 3, (None, 100), False, "R6", None),
    ("hhhl", 3, (100, None), False, "R6", None),
    ("hl", 1, (100, 100), True, "R6", 0),
    ("hhl", 2, (100, 100), True, "R6", 1),
    ("hhhh", 3, (100, 100), False, "R6", None),
    ("hhhL", 3, (100, 100), False, "R3", None),
    ("hhdl", 3, (100, 100), False, "R3", None),
    ("hhul", 3, (100, 100), False, "R3", None),
    ("hddl", 3, (100, 100), False, "R14", None),
    ("aaal", 3, (100, 100), False, "R15", None),
    ("hhhll", 3, (100, 100), False, "R5", None),
    ("hhhnl", 4, (100, 100), False, "R5", None),
]


@pytest.mark.parametrize(("members", "target", "log", "allowed", "rule", "after"), PROMOTIONS)
def test_promotion(  # noqa: PLR0917 - one row of the table
    members: str,
    target: int,
    log: tuple[int | None, int | None],
    allowed: bool,
    rule: str,
    after: int | None,
) -> None:
    """R6, R3, R5: a learner that has caught up, while all are well and nothing else is open."""
    seen = cluster(members)
    ruling = quorum.may_promote(seen, seen[target].id, *log)
    assert (ruling.allowed, ruling.rule, ruling.tolerance_after) == (allowed, rule, after)


def test_a_learner_that_never_started_is_not_promoted() -> None:
    """Old servers would do it."""
    members = (*cluster("hhh"), Member(MemberId("f"), "", D, learner=True, started=False))
    ruling = quorum.may_promote(members, MemberId("f"), 100, 100)
    assert (ruling.allowed, ruling.because) == (False, "f was added and has never started")


# members, index of the target, allowed, allowed where writes are refused anyway
DEFRAGMENTATIONS = [
    ("h", 0, False, True),
    ("hh", 1, False, True),
    ("hhh", 1, True, True),
    ("hhh", 0, True, True),
    ("hhhh", 3, True, True),
    ("hhd", 1, False, True),
    ("hhd", 2, False, False),
    ("hdd", 0, False, False),
    ("hhu", 1, False, False),
    ("hha", 1, False, False),
    ("hhhl", 1, False, True),
    ("hhhL", 1, False, True),
    ("hhhl", 3, False, False),
    ("hhhn", 1, False, True),
    ("hhhhd", 1, False, True),
]


@pytest.mark.parametrize(("members", "target", "allowed", "without_space"), DEFRAGMENTATIONS)
def test_defragmentation(members: str, target: int, allowed: bool, without_space: bool) -> None:
    """R11: only while all are healthy and the others are quorum; but see NOSPACE."""
    voters = cluster(members)
    assert quorum.may_defragment(voters, voters[target].id).allowed is allowed
    ruling = quorum.may_defragment(voters, voters[target].id, writes_refused=True)
    assert ruling.allowed is without_space


def test_rolling_order_begins_with_the_dead_and_ends_with_the_leader() -> None:
    """R10, R9."""
    assert [m.name for m in quorum.rolling_order(cluster("hhdh"))] == ["m3", "m2", "m4", "m1"]


def test_rolling_order_begins_with_a_dead_leader() -> None:
    """What is told of who leads may be old: one that is down takes nothing with it."""
    assert next(m.name for m in quorum.rolling_order(cluster("hhdh", leader=2))) == "m3"


def test_the_only_voter_is_called_so() -> None:
    """There would be nobody left to name figures of."""
    (alone,) = members = cluster("h")
    assert quorum.may_remove(members, alone.id).because == "m1 is the only voter"


def test_refusals_say_the_figures() -> None:
    """A refusal names what would be left, and what is needed."""
    members = cluster("hhd")
    because = quorum.may_remove(members, members[0].id).because
    assert because == "it would leave 1 healthy of 2, quorum 2"


clusters = st.text("hduanlL", min_size=1, max_size=9).map(cluster)


@given(clusters, st.integers(0, 8), st.booleans())
def test_no_allowed_change_leaves_fewer_healthy_than_quorum(
    members: tuple[Member, ...], index: int, to_one: bool
) -> None:
    """Whatever the cluster is like: after any allowed change, quorum of what is then is healthy."""
    voting = quorum.voters(members)
    target = members[index % len(members)]
    rest = [member for member in voting if member.id != target.id]
    if quorum.may_remove(members, target.id, to_one=to_one).allowed:
        assert quorum.healthy(rest) >= quorum.quorum(len(rest))
    if quorum.may_add(members, learner=False).allowed:
        assert quorum.healthy(voting) >= quorum.quorum(len(voting) + 1)
    if quorum.may_add(members, learner=True).allowed:
        assert quorum.healthy(voting) >= quorum.quorum(len(voting))
    already_away = target.health is Health.DOWN or target.learner
    if quorum.may_restart(members, target.id).allowed and not already_away:
        assert quorum.healthy(rest) >= quorum.quorum(len(voting))


@given(clusters, st.integers(0, 8))
def test_tolerance_after_is_what_it_says(members: tuple[Member, ...], index: int) -> None:
    """An allowed removal names the tolerance that the remaining members really have."""
    target = members[index % len(members)]
    ruling = quorum.may_remove(members, target.id)
    if ruling.allowed:
        rest = [member for member in members if member.id != target.id]
        assert ruling.tolerance_after == quorum.tolerance(rest)


@given(clusters, st.integers(0, 8))
def test_not_knowing_never_allows_more(members: tuple[Member, ...], index: int) -> None:
    """What is refused for a cluster stays refused when a healthy member becomes unknown."""
    place = index % len(members)
    doubted = tuple(
        Member(m.id, m.name, U, m.learner, m.started, m.leader)
        if i == place and m.health is H
        else m
        for i, m in enumerate(members)
    )
    for member in members:
        if member.id == members[place].id:
            continue
        if not quorum.may_remove(members, member.id).allowed:
            assert not quorum.may_remove(doubted, member.id).allowed
        if not quorum.may_restart(members, member.id).allowed:
            assert not quorum.may_restart(doubted, member.id).allowed
    for learner in (True, False):
        if not quorum.may_add(members, learner=learner).allowed:
            assert not quorum.may_add(doubted, learner=learner).allowed
