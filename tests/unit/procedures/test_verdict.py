"""What spoils a verdict: a member that is not well, and a figure that counts and is not good."""

from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.etcd.observe import observed
from procedures.etcd.verdict import judge
from procedures.etcd.view import View
from procedures.model.ids import ClusterName, MemberName
from procedures.model.probe import FaultKind
from procedures.model.quorum import Health
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


async def test_a_learner_proves_no_quorum() -> None:
    """It answers from its own data, whoever else is there (R1)."""
    sight = a_sight()
    sight.demo.add(MemberName("a-learner"), "https://127.0.0.1:2390", learner=True)
    for name in ("demo-2", "demo-3"):
        sight.demo.members[MemberName(name)].condition = Condition.STOPPED
    view = await observed(ClusterName("demo"), sight)
    answered = [each.name for each in view.seen if each.health is Health.HEALTHY]
    assert answered == ["a-learner"]
    assert not view.quorum_proven
    assert judge(view, []) is Verdict.NO_QUORUM


async def test_a_member_without_a_leader_speaks_for_the_others() -> None:
    """Nobody here can tell of those that it cannot reach either."""
    view = await seen(2)
    unknown = tuple(
        replace(each, health=Health.UNKNOWN) if each.status is None else each for each in view.seen
    )
    assert judge(replace(view, seen=unknown), []) is Verdict.NO_QUORUM
    silent = tuple(each for each in unknown if each.status is None)
    assert judge(replace(view, seen=silent), []) is Verdict.UNKNOWN


@pytest.mark.parametrize("kind", FaultKind)
def test_whose_fault_it_is(kind: FaultKind) -> None:
    """What may lie with the asker, or with the way, never proves that a member is down."""
    ours = {FaultKind.FILES, FaultKind.TRUST, FaultKind.DNS, FaultKind.DENIED}
    theirs = {FaultKind.REFUSED, FaultKind.SILENT, FaultKind.SERVER}
    assert (kind.on_our_side, kind.on_their_side) == (kind in ours, kind in theirs)
