"""Who takes leadership over: a healthy voter, of several the one that is furthest in the log."""

import pytest

from bot.targets.etcd.memory import FakeEtcd
from procedures.model.ids import MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.run import State
from tests.unit.procedures.engine.test_checked_again import (
    ONE,
    REMOVE,
    THREE,
    TWO,
    alarmed,
    approved,
    leading,
    with_a_learner,
)

HAND_OVER = 2


class Stubborn(FakeEtcd):
    """Leadership is back at once where it was."""

    async def move_leader(self, cluster: Cluster, endpoint: str, to: MemberId) -> None:
        pass


@pytest.mark.parametrize(("behind", "heir"), [(ONE, TWO), (TWO, ONE)])
async def test_the_furthest(behind: MemberName, heir: MemberName) -> None:
    """It has the least to catch up with."""
    theatre = await approved(REMOVE, leading(THREE), before=HAND_OVER)
    theatre.sight.demo.members[behind].raft_behind = 50
    await theatre.work()
    assert theatre.effects[0] == f"lead {theatre.sight.demo.members[heir].id}"


async def test_no_learner() -> None:
    """It never leads, and nothing is asked where nobody else is well."""
    theatre = await approved(REMOVE, leading(THREE), before=HAND_OVER)
    with_a_learner(theatre)
    alarmed(ONE, TWO)(theatre)
    await theatre.work()
    assert (theatre.run.state, theatre.effects) == (State.FAILED, [])
    assert "No healthy voter is there to take leadership over (R9)" in str(theatre.run.error)


async def test_it_stays_where_it_is() -> None:
    """etcd confirmed it, and nothing came of it: whoever leads is not stopped or removed."""
    theatre = await approved(REMOVE, leading(THREE), before=HAND_OVER)
    theatre.sight.etcd = Stubborn(theatre.sight.etcd.clusters, theatre.sight.clock.now_ms)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert str(theatre.run.error).startswith("step 2: demo-3 (a003) still leads, or nobody does")
    assert str(theatre.run.error).endswith("after 15 s (R9).")
