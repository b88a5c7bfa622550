"""NOSPACE: what is done about it, in which order, and when the alarm stays on."""

import pytest

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import Condition, FakeCluster
from procedures.actions.etcd.space import DisarmNospace
from procedures.etcd.fragmentation import MIB
from procedures.model.events import Done, Started
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import Alarm
from procedures.model.run import State
from tests.support.theatre import Theatre, a_theatre

ONE, TWO, THREE = MemberName("demo-1"), MemberName("demo-2"), MemberName("demo-3")


def full(*, history: int = 2_000, size: int = 3) -> Theatre:
    """Files above the quota of 2 GiB, of which so many MiB are old versions."""
    theatre = a_theatre("etcd nospace", {}, size)
    for member in theatre.sight.demo.members.values():
        member.db_size = member.db_size_in_use = 2_100 * MIB
        member.history = history * MIB
    theatre.sight.demo.raise_alarm(ONE)
    return theatre


def verbs(theatre: Theatre) -> list[str]:
    return [effect.split()[0] for effect in theatre.effects]


@pytest.mark.parametrize("alarmed", [(ONE,), (ONE, TWO, THREE)])
async def test_it_gets_going_again(alarmed: tuple[MemberName, ...]) -> None:
    """Whoever has raised the alarm: compaction, each file, the alarm last; then a write."""
    theatre = full()
    demo = theatre.sight.demo
    demo.alarms.clear()
    for name in alarmed:
        demo.raise_alarm(name)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert verbs(theatre) == ["compact", *["defragment"] * 2, "lead", "defragment"] + [
        "disarm"
    ] * len(alarmed)
    assert demo.alarms == []
    assert {member.db_size for member in demo.members.values()} == {100 * MIB}
    assert len(theatre.backups.stored) == 1


async def test_figures_come_first() -> None:
    """Size, quota, share, what is in use, and who has raised it; none of them is in the plan."""
    theatre = full()
    await theatre.approved()
    pen = await theatre.work()
    assert (
        "demo-1: 2100.0 of 2,048.0 MiB (102 %), 2100.0 MiB in use with all old versions, "
        "revision 100, has raised NOSPACE"
    ) in pen.said


async def test_the_alarm_stays_on_without_space() -> None:
    """Where what is stored is too much, people are told what to do, and nothing is disarmed."""
    theatre = full(history=10)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "Still no space: demo-1 has 2090.0 of 2,048.0 MiB; demo-2" in str(theatre.run.error)
    assert "raise --quota-backend-bytes on each member, then resume" in str(theatre.run.error)
    assert "disarm" not in verbs(theatre)


async def test_little_space_is_said() -> None:
    """It is enough to go on, and will not last."""
    theatre = full(history=300)
    await theatre.approved()
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert any("87 %: it is full again soon." in line for line in pen.said), pen.said


async def test_a_member_alone() -> None:
    """There is nobody to hand leadership to."""
    theatre = full(size=1)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert verbs(theatre) == ["compact", "defragment", "disarm"]


async def test_with_a_dead_member() -> None:
    """It is left out; without this, the alarm would keep it from being removed."""
    theatre = full()
    theatre.sight.demo.members[THREE].condition = Condition.STOPPED
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.sight.demo.members[THREE].db_size == 2_100 * MIB
    assert theatre.sight.demo.alarms == []


async def only_the_alarm_is_left() -> tuple[Theatre, FakeCluster]:
    """All is done but that the alarm is taken back; there is space."""
    theatre = full()
    await theatre.approved()
    plan, demo = theatre.run.plan, theatre.sight.demo
    assert plan is not None
    for member in demo.members.values():
        member.db_size = member.db_size_in_use = 100 * MIB
    last = next(step.number for step in plan.steps if step.action == DisarmNospace.KIND)
    for number in range(1, last):
        theatre.append(Started(number, 1), Done(number, None))
    return theatre, demo


async def test_no_other_alarm_is_taken_back() -> None:
    """CORRUPT goes away only when all data is equal (R16)."""
    theatre, demo = await only_the_alarm_is_left()
    demo.raise_alarm(THREE, "CORRUPT")
    await theatre.work()
    assert theatre.effects == [f"disarm NOSPACE {demo.members[ONE].id}"]
    assert [alarm.kind for alarm in demo.alarms] == ["CORRUPT"]


class Full(FakeEtcd):
    """Somebody writes so much that the alarm is on again at once."""

    async def disarm(self, cluster: Cluster, endpoint: str, alarm: Alarm) -> None:
        await super().disarm(cluster, endpoint, alarm)
        self.clusters[cluster.name].raise_alarm(TWO)


async def test_it_is_raised_again() -> None:
    """That is said, and the run does not end well."""
    theatre, _ = await only_the_alarm_is_left()
    theatre.sight.etcd = Full(theatre.sight.etcd.clusters, theatre.sight.clock.now_ms)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "NOSPACE has been raised again on demo meanwhile (R15). Resume." in str(
        theatre.run.error
    )
