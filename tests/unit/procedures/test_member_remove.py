"""Removing a member that works: what is waited for, and what may happen in the meantime."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.ids import MemberName
from procedures.model.run import State
from tests.support.theatre import Theatre, a_theatre

TWO, THREE = MemberName("demo-2"), MemberName("demo-3")


def removing() -> Theatre:
    return a_theatre("etcd member remove", {"member": "demo-3"})


async def test_health_has_to_last() -> None:
    """etcd lets one that works go only when all have been connected for a while."""
    theatre = removing()
    await theatre.approved()
    before_ms = theatre.sight.clock.ms
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.sight.clock.ms >= before_ms + 6_000
    assert len(theatre.members()) == 2


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (THREE, "is failed now, and was healthy when its removal was approved"),
        (TWO, "it would leave 1 healthy of 2, quorum 2 (R2), for 60 s"),
    ],
)
async def test_a_member_fails_meanwhile(target: MemberName, error: str) -> None:
    """Nobody is removed then."""
    theatre = removing()
    await theatre.approved()

    def fail() -> None:
        theatre.sight.demo.members[target].condition = Condition.STOPPED

    theatre.sight.clock.on_sleep = fail
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert error in str(theatre.run.error)
    assert len(theatre.members()) == 3


async def test_somebody_else_removes_it_meanwhile() -> None:
    """The run stops, as it was not its removal, and says why."""
    theatre = removing()
    await theatre.approved()

    def remove() -> None:
        theatre.sight.demo.members.pop(THREE, None)

    theatre.sight.clock.on_sleep = remove
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "was taken out meanwhile, by somebody else (R7)" in str(theatre.run.error)
    assert len(theatre.members()) == 2
