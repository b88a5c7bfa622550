"""Which backups may go: never too many, never the good ones."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.model.ids import ClusterName, MemberId
from procedures.model.snapshot import Origin, Retention, Snapshot, expendable

DAY_MS = 24 * 3600 * 1000
NOW_DAY = 20_000
NOW_MS = NOW_DAY * DAY_MS + DAY_MS // 2


def taken(days_ago: int, hour: float = 6, *, quorum: bool = True, name: str = "") -> Snapshot:
    """A snapshot of a day, counted back from today."""
    at_ms = (NOW_DAY - days_ago) * DAY_MS + int(hour * 3_600_000)
    return Snapshot(
        cluster=ClusterName("prod"),
        name=name or f"prod-{days_ago}-{hour}-{quorum}",
        taken_at_ms=at_ms,
        size=544,
        sha256="0" * 64,
        hash="0",
        revision=1,
        total_keys=1,
        origin=Origin(MemberId("1"), "one", "3.4.23", 1, quorum),
    )


def days(snapshots: Iterable[Snapshot]) -> set[int]:
    return {each.taken_at_ms // DAY_MS for each in snapshots}


CASES: dict[str, tuple[list[Snapshot], Retention, list[Snapshot]]] = {
    "none": ([], Retention(), []),
    "young ones stay, however many": (
        [taken(0, hour / 10) for hour in range(100)],
        Retention(1, 1),
        [],
    ),
    "daily: what is older than all limits goes, the oldest first": (
        [taken(ago) for ago in range(40)],
        Retention(30, 7),
        [taken(ago) for ago in range(39, 29, -1)],
    ),
    "the last days stay, however old": (
        [taken(ago) for ago in range(300, 310)],
        Retention(30, 7),
        [taken(309), taken(308), taken(307)],
    ),
    "of an old day that is kept, the last one stays": (
        [taken(300, 1), taken(300, 22), taken(300, 3)],
        Retention(30, 7),
        [taken(300, 1), taken(300, 3)],
    ),
    "days without a backup do not count": (
        [taken(100), taken(200), taken(300), taken(400)],
        Retention(30, 3),
        [taken(400)],
    ),
    "many on one day are one day": (
        [*(taken(0, hour) for hour in range(10)), taken(50), taken(51)],
        Retention(30, 3),
        [],
    ),
    "exactly as old as the limit is young enough": (
        [taken(30, 12), taken(0), taken(30, 11.9)],
        Retention(30, 1),
        [taken(30, 11.9)],
    ),
    "with quorum is better than later on the same day": (
        [taken(90, 6), taken(90, 20, quorum=False)],
        Retention(30, 1),
        [taken(90, 20, quorum=False)],
    ),
    "without quorum is better than nothing": (
        [taken(90, 6, quorum=False), taken(90, 8, quorum=False)],
        Retention(30, 1),
        [taken(90, 6, quorum=False)],
    ),
    "days without quorum push out no day with quorum": (
        [*(taken(ago, quorum=False) for ago in range(40, 44)), taken(60), taken(61), taken(62)],
        Retention(30, 2),
        [taken(62), taken(43, quorum=False), taken(42, quorum=False)],
    ),
    "of the future, because a clock was wrong": (
        [taken(-400), taken(90), taken(91)],
        Retention(30, 2),
        [taken(91)],
    ),
    "before and after midnight are two days": (
        [taken(91, 23.99), taken(90, 0.01)],
        Retention(30, 2),
        [],
    ),
    "of the same moment one stays": (
        [taken(90, name="prod-b"), taken(90, name="prod-a")],
        Retention(30, 1),
        [taken(90, name="prod-a")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_cases(case: str) -> None:
    """The order in which they are given does not matter."""
    snapshots, retention, gone = CASES[case]
    assert list(expendable(snapshots, retention, NOW_MS)) == gone
    assert list(expendable(reversed(snapshots), retention, NOW_MS)) == gone


ANY = st.lists(
    st.builds(
        taken,
        st.integers(-3, 60),
        st.sampled_from([0, 6, 6, 23.999]),
        quorum=st.booleans(),
    ),
    max_size=40,
    unique_by=lambda each: each.name,
)
RETENTIONS = st.builds(Retention, st.integers(0, 40), st.integers(1, 10))


@given(ANY, RETENTIONS)
def test_enough_days_stay(snapshots: list[Snapshot], retention: Retention) -> None:
    """As many distinct days as are wanted, or all there are; and the same of those with quorum."""
    gone = set(expendable(snapshots, retention, NOW_MS))
    kept = [each for each in snapshots if each not in gone]
    for good in (lambda _: True, lambda each: each.origin.quorum):
        there, left = (days(filter(good, group)) for group in (snapshots, kept))
        newest = sorted(there)[-retention.distinct_days :]
        assert set(newest) <= left


@given(ANY, RETENTIONS)
def test_nothing_young_goes(snapshots: list[Snapshot], retention: Retention) -> None:
    """Whatever is younger than `days` stays."""
    for gone in expendable(snapshots, retention, NOW_MS):
        assert NOW_MS - gone.taken_at_ms > retention.days * DAY_MS


@given(ANY, RETENTIONS)
def test_no_more_stays_than_is_wanted(snapshots: list[Snapshot], retention: Retention) -> None:
    """Of what is old, one a day, of two times `distinct_days` days at most: disks are finite."""
    gone = set(expendable(snapshots, retention, NOW_MS))
    old = [
        each
        for each in snapshots
        if each not in gone and NOW_MS - each.taken_at_ms > retention.days * DAY_MS
    ]
    assert len(old) == len(days(old)) <= 2 * retention.distinct_days


@given(ANY, RETENTIONS, st.data())
def test_rotations_at_once_do_no_harm(
    snapshots: list[Snapshot], retention: Retention, data: st.DataObject
) -> None:
    """Whatever part of it one process has deleted, another finds nothing more to delete."""
    gone = expendable(snapshots, retention, NOW_MS)
    deleted = data.draw(st.sets(st.sampled_from(gone))) if gone else set()
    left = [each for each in snapshots if each not in deleted]
    assert set(expendable(left, retention, NOW_MS)) == set(gone) - deleted


@given(ANY, RETENTIONS, st.integers(1, 30), st.booleans())
def test_repeated_backups_rotate_nothing_good_out(
    snapshots: list[Snapshot], retention: Retention, count: int, quorum: bool
) -> None:
    """Any number of backups on one day takes the place of one day at most, none without quorum."""
    before = {each for each in snapshots if each.origin.quorum}
    before -= set(expendable(snapshots, retention, NOW_MS))
    more = [taken(0, 7 + n / 100, quorum=quorum, name=f"more-{n}") for n in range(count)]
    gone = set(expendable([*snapshots, *more], retention, NOW_MS))
    assert len(days(before & gone)) <= (1 if quorum else 0)
