"""What spoils a verdict: a member that is not well, and a figure that counts and is not good."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.etcd.observe import observed
from procedures.etcd.verdict import judge
from procedures.etcd.view import View
from procedures.model.ids import ClusterName, MemberName
from procedures.model.report import Figure, Level, Verdict
from tests.support.sight import a_sight


async def seen(down: int) -> View:
    """Three members, so many of them down."""
    sight = a_sight()
    for number in range(1, down + 1):
        sight.demo.members[MemberName(f"demo-{number}")].condition = Condition.STOPPED
    return await observed(ClusterName("demo"), sight)


GOOD = {Level.OK, Level.INFO}


@pytest.mark.parametrize("level", Level)
async def test_a_figure_that_counts(level: Level) -> None:
    """Only what is good leaves it healthy: what is not known is never shown as green."""
    figures = [Figure("any", level, "text"), Figure("good", Level.OK, "text")]
    assert judge(await seen(0), figures) is (Verdict.HEALTHY if level in GOOD else Verdict.DEGRADED)


@pytest.mark.parametrize("level", Level)
async def test_a_figure_that_does_not_count(level: Level) -> None:
    """Whatever it is."""
    figures = [Figure("any", level, "text", counts=False)]
    assert judge(await seen(0), figures) is Verdict.HEALTHY


async def test_a_member_that_is_down() -> None:
    """Although no figure says so."""
    assert judge(await seen(1), []) is Verdict.DEGRADED
