"""A clock is near another one where the way's delay, too, keeps it within a second. (R18)"""

import pytest

from procedures.host.clock import Reading, TimeService, clock_figures
from procedures.host.offset import ClockSeen, too_far
from procedures.model.host import Machine
from procedures.model.report import Level


def seen(least_ms: int, most_ms: int) -> ClockSeen:
    return ClockSeen(
        Machine("1", "1", "a"),
        Reading(least_ms, most_ms),
        TimeService(enabled=True, synchronised=True),
    )


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (-10, 10, None),
        (900, 1_000, None),
        (-1_000, -900, None),
        (900, 1_002, "too slow to tell"),
        (-3_000, 3_000, "too slow to tell"),
        (1_001, 1_003, "ahead of other"),
        (-1_003, -1_001, "ahead of this"),
    ],
)
def test_nothing_that_sets_the_clock_is_started_where_it_is_off(
    least: int, most: int, words: str | None
) -> None:
    """Nor where nobody can tell: the answer took too long."""
    found = too_far("this", {"this": seen(least, most), "other": seen(0, 0)})
    assert (words or "") in (found or "")
    assert (found is None) is (words is None)


@pytest.mark.parametrize(
    ("least", "most", "level"),
    [
        (980, 1_000, Level.OK),
        (990, 1_010, Level.UNKNOWN),
        (1_001, 1_001, Level.WARN),
        (-1_001, -1_001, Level.WARN),
        (-5_000, 5_000, Level.UNKNOWN),
    ],
)
def test_what_is_said_of_a_pair(least: int, most: int, level: Level) -> None:
    """What a slow way leaves open is neither green nor a warning."""
    figure, *_ = clock_figures({"this": Reading(least, most), "other": Reading(0, 0)})
    assert figure.level is level
