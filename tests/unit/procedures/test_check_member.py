"""After a restart the next one has its turn when this one serves and has caught up. (R10)"""

import pytest

from procedures.actions.etcd.check_healthy import LAG_ENTRIES
from procedures.model.ids import MemberName
from procedures.model.run import State
from tests.support.theatre import Theatre, a_theatre

THREE = MemberName("demo-3")


def restarting() -> Theatre:
    return a_theatre("etcd restart", {"member": THREE})


@pytest.mark.parametrize(("behind", "fine"), [(LAG_ENTRIES, True), (LAG_ENTRIES + 1, False)])
async def test_it_has_to_catch_up(behind: int, fine: bool) -> None:
    """It serves, and would be no help to a quorum yet."""
    theatre = restarting()
    demo = theatre.sight.demo
    demo.raft_index = 10 * LAG_ENTRIES
    demo.members[THREE].raft_behind = behind
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is (State.SUCCEEDED if fine else State.FAILED)
    assert (
        f"step 3: demo-3 (a003) is not healthy after 60 s: it is {behind}" in _error(theatre)
    ) is not fine


async def test_it_has_to_be_well() -> None:
    """One with an alarm takes no writes."""
    theatre = restarting()
    theatre.sight.demo.raise_alarm(THREE)
    await theatre.approved()
    await theatre.work()
    assert "step 3: demo-3 (a003) is not healthy after 60 s: alarm NOSPACE" in _error(theatre)


def _error(theatre: Theatre) -> str:
    return str(theatre.run.error)
