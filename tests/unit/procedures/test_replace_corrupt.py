"""Replacing a member whose data differs: what is proven once more before it goes."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.ids import MemberName
from procedures.model.run import State
from tests.support.furnishing import at_home
from tests.support.theatre import Theatre, a_theatre

ONE, TWO, THREE = MemberName("demo-1"), MemberName("demo-2"), MemberName("demo-3")


async def approved() -> Theatre:
    """The replacement of demo-3, whose data differs."""
    theatre = a_theatre("etcd replace-corrupt", {"member": "demo-3"})
    at_home(theatre)
    theatre.sight.demo.members[THREE].hash = 1
    theatre.sight.demo.raise_alarm(THREE, "CORRUPT")
    await theatre.approved()
    return theatre


async def test_the_data_is_moved_aside_and_comes_anew() -> None:
    """The alarm is off, all are equal, and the old data is kept."""
    theatre = await approved()
    await theatre.work()
    demo = theatre.sight.demo
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert demo.alarms == []
    assert {member.hash for member in demo.members.values()} == {0xFEED}
    files = theatre.sight.hosts.machines["demo-3"].files
    assert files.get("/var/lib/etcd/member.quorumbot-1") is not None
    assert "ETCD_INITIAL_CLUSTER_STATE=existing" in files.text("/etc/etcd/etcd.conf")


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_leader_that_accuses_all_others(stopped: bool) -> None:
    """Its own data is bad: nobody else is without the alarm, and one of them has to lead."""
    theatre = a_theatre("etcd replace-corrupt", {"member": "demo-1"})
    at_home(theatre)
    demo = theatre.sight.demo
    assert demo.leader is demo.members[ONE]
    demo.members[ONE].hash = 1
    demo.raise_alarm(TWO, "CORRUPT")
    demo.raise_alarm(THREE, "CORRUPT")
    if stopped:
        demo.members[ONE].condition = Condition.STOPPED
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert demo.alarms == []
    assert {member.hash for member in demo.members.values()} == {0xFEED}


async def test_another_differs_when_one_that_is_down_is_removed() -> None:
    """Nobody is removed on the word of members that do not agree any more."""
    theatre = a_theatre("etcd replace-corrupt", {"member": "demo-1"}, 5)
    at_home(theatre)
    demo = theatre.sight.demo
    demo.raise_alarm(TWO, "CORRUPT")
    demo.members[ONE].condition = Condition.STOPPED
    await theatre.approved()
    demo.members[TWO].hash = 2
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "The data of the others differs (R16)" in (theatre.run.error or "")
    assert len(demo.members) == 5


@pytest.mark.parametrize(
    ("hashes", "words"),
    [
        ({THREE: 0xFEED}, "is not the one member whose data differs"),
        ({THREE: 0xFEED, ONE: 1}, "is not the one member whose data differs"),
        ({TWO: 2}, "At most 1 of 3 members hold the same data"),
    ],
)
async def test_other_data_than_when_it_was_approved(
    hashes: dict[MemberName, int], words: str
) -> None:
    """Right before the removal it is compared again; nobody is removed on an old word."""
    theatre = await approved()
    for name, value in hashes.items():
        theatre.sight.demo.members[name].hash = value
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert words in (theatre.run.error or "")
    assert set(theatre.members()) == {"demo-1", "demo-2", "demo-3"}


async def test_the_alarm_stays_on_where_others_differ() -> None:
    """One more goes bad after the removal: nothing is disarmed, and nobody joins its data."""
    theatre = await approved()
    demo = theatre.sight.demo

    def spoil() -> None:
        if THREE not in demo.members:
            demo.members[TWO].hash = 2

    theatre.sight.clock.on_sleep = spoil
    theatre.sight.hosts.machines["demo-3"].units["etcd.service"].on_stop = lambda _: spoil()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "Data differs at revision" in (theatre.run.error or "")
    assert [alarm.kind for alarm in demo.alarms] == ["CORRUPT"]
    assert set(theatre.members()) == {"demo-1", "demo-2"}
