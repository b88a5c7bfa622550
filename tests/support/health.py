"""Asking for the health of a demo cluster, and finding a figure of it."""

from bot.targets.etcd.model import FakeMember
from procedures.etcd import health
from procedures.model.ids import ClusterName, MemberName
from procedures.model.report import Figure, HealthReport
from tests.support.sight import FakeSight

DEMO = ClusterName("demo")


async def reports(sight: FakeSight) -> tuple[HealthReport, HealthReport]:
    """Ask; the first answer, and the last."""
    first, last = [report async for report in health.ask(health.Args(DEMO), sight)]
    return first, last


async def final(sight: FakeSight) -> HealthReport:
    """Ask; the last answer only."""
    return (await reports(sight))[1]


def member(sight: FakeSight, number: int) -> FakeMember:
    """Give the member of that number."""
    return sight.demo.members[MemberName(f"demo-{number}")]


def figure(report: HealthReport, name: str, of: str | None = None) -> Figure:
    """Find a figure, of any member or of one; it has to be there."""
    found = [f for f in report.figures if f.name == name and of in {None, f.member}]
    assert found, f"no figure {name} among {sorted({f.name for f in report.figures})}"
    return found[0]
