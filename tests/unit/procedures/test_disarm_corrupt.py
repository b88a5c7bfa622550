"""Taking back an alarm CORRUPT that is left over."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.errors import Refused
from procedures.model.ids import MemberName
from procedures.model.run import State
from tests.support.theatre import Theatre, a_theatre

TWO, THREE = MemberName("demo-2"), MemberName("demo-3")


def alarmed(about: MemberName = THREE) -> Theatre:
    """A cluster that refuses writes."""
    theatre = a_theatre("etcd disarm-corrupt", {})
    theatre.sight.demo.raise_alarm(about, "CORRUPT")
    return theatre


async def test_writes_go_on() -> None:
    """All hold the same data: the alarm goes."""
    theatre = alarmed()
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.sight.demo.alarms == []


async def test_data_that_differs_meanwhile() -> None:
    """What was equal when people approved is compared once more: the alarm stays on."""
    theatre = alarmed()
    await theatre.approved()
    theatre.sight.demo.members[TWO].hash = 1
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "Data differs" in str(theatre.run.error)
    assert [each.kind for each in theatre.sight.demo.alarms] == ["CORRUPT"]


async def test_nothing_to_take_back() -> None:
    """No alarm is on."""
    with pytest.raises(Refused, match="there is nothing to do"):
        await a_theatre("etcd disarm-corrupt", {}).approved()


async def test_data_that_differs() -> None:
    """It says whose, and what helps."""
    theatre = alarmed()
    theatre.sight.demo.members[TWO].hash = 1
    with pytest.raises(Refused, match=r"differs .* Use /etcd replace-corrupt demo-2"):
        await theatre.approved()


async def test_a_member_that_gives_no_hash() -> None:
    """It may be the one that is meant."""
    theatre = alarmed()
    theatre.sight.demo.members[THREE].condition = Condition.STOPPED
    with pytest.raises(Refused, match="demo-3 could not be compared"):
        await theatre.approved()
