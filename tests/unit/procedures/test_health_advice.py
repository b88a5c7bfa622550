"""The safe-now lines: what may be restarted, removed and added as it is."""

from bot.targets.etcd.model import Condition
from procedures.model.ids import MemberName
from procedures.model.report import Advice, HealthReport
from tests.support.health import figure, final, member
from tests.support.sight import a_sight


def advice(report: HealthReport, change: str) -> Advice:
    return next(each for each in report.advice if each.change == change)


async def test_safe_now_when_all_is_well() -> None:
    """One at a time, the leader last."""
    report = await final(a_sight())
    leader = next(row.name for row in report.rows if row.role == "leader")
    assert advice(report, "restart").text == (
        f"yes, one at a time; {leader} last, it leads (R9, R10)"
    )
    assert advice(report, "remove").text == (
        "yes, any one; it leaves 2 healthy of 2, quorum 2, tolerance 0 (R2)"
    )
    assert advice(report, "add").text == "yes, one (R3)"


async def test_safe_now_with_one_down() -> None:
    """Only the dead one may go or be started; nothing may be added before it is well."""
    sight = a_sight()
    member(sight, 3).condition = Condition.STOPPED
    report = await final(sight)
    assert advice(report, "restart").text == (
        "only demo-3; another would leave 1 healthy of 3, quorum 2 (R10)"
    )
    assert advice(report, "remove").text == (
        "only demo-3; another would leave 1 healthy of 2, quorum 2 (R2)"
    )
    assert advice(report, "add").text == "no, demo-3 must be healthy first (R3)"


async def test_safe_now_without_quorum() -> None:
    """Start what is down; change nothing."""
    sight = a_sight()
    member(sight, 2).condition = member(sight, 3).condition = Condition.STOPPED
    report = await final(sight)
    assert advice(report, "restart").text == (
        "only to bring demo-2 and demo-3 back with the data that is there"
    )
    assert not advice(report, "remove").allowed
    assert not advice(report, "add").allowed


async def test_a_learner_has_no_vote_and_blocks_changes() -> None:
    """It is listed, does not count, and one change is finished before the next."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2999", learner=True)
    report = await final(sight)
    assert report.headline == "demo: degraded, 3 of 3 members, tolerance 1"
    assert figure(report, "member list").text == "demo-4 is in it and not expected"
    assert next(row for row in report.rows if row.name == "demo-4").role == "learner"
    assert advice(report, "add").text == (
        "no, demo-4 is still a learner: finish that change first (R5)"
    )
    assert advice(report, "remove").text.startswith("only demo-4;")


async def test_a_member_that_never_started() -> None:
    """It has no name and no vote to give, and counts as a voter all the same."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2999", started=False)
    report = await final(sight)
    assert report.headline == "demo: degraded, 3 of 4 members, tolerance 0"
    assert any(row.role == "not started" for row in report.rows)
    assert not advice(report, "add").allowed


async def test_nothing_is_safe_while_data_differs() -> None:
    """R16: a person decides; the rules about quorum say nothing about that."""
    sight = a_sight()
    member(sight, 2).hash = 0xBAD
    report = await final(sight)
    assert [each.allowed for each in report.advice] == [False, False, False]
    assert advice(report, "restart").text == "no, members do not have the same data (R16)"


async def test_nothing_is_safe_under_a_corrupt_alarm() -> None:
    """R16 again, also with tolerance to spare."""
    sight = a_sight(5)
    sight.demo.raise_alarm(MemberName("demo-5"), "CORRUPT")
    report = await final(sight)
    assert not any(each.allowed for each in report.advice)
