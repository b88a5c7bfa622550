"""Of whom a snapshot is taken, and what is written of it: a restore rests on both. (R12)"""

from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.etcd.observe import observed
from procedures.etcd.view import Seen
from procedures.model.ids import ClusterName, MemberName
from procedures.model.probe import Status
from procedures.model.run import State
from tests.support.sight import a_sight
from tests.support.theatre import a_theatre

ONE, TWO, THREE = MemberName("demo-1"), MemberName("demo-2"), MemberName("demo-3")


def at(seen: Seen, revision: int) -> Seen:
    """The same member, with data up to another revision."""
    assert seen.probe is not None
    status = seen.probe.status
    assert isinstance(status, Status)
    return replace(seen, probe=replace(seen.probe, status=replace(status, revision=revision)))


@pytest.mark.parametrize("newest", [ONE, TWO, THREE])
@pytest.mark.parametrize("leader", [ONE, THREE])
async def test_it_has_the_newest_data(newest: MemberName, leader: MemberName) -> None:
    """Also where that is the leader, who is spared where others have the same."""
    sight = a_sight()
    sight.demo.hand_over(sight.demo.members[leader])
    view = await observed(ClusterName("demo"), sight)
    seen = tuple(at(each, 101 if each.name == newest else 100) for each in view.seen)
    found = SaveSnapshot(ClusterName("demo"))._source(replace(view, seen=seen))
    assert found.name == newest


async def test_it_is_no_learner() -> None:
    """It may lack what is not sent to it yet, whatever it says."""
    theatre = a_theatre("etcd backup", {})
    theatre.sight.demo.add(MemberName("a-learner"), "https://127.0.0.1:2390", learner=True)
    await theatre.approved()
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert pen.said[0].startswith("streaming from demo-")


async def test_what_is_taken_without_quorum_is_marked_so() -> None:
    """Others may know more: no restore takes it unasked."""
    theatre = a_theatre("etcd backup", {})
    for member in (TWO, THREE):
        theatre.sight.demo.members[member].condition = Condition.STOPPED
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert [snapshot.origin.quorum for snapshot, _ in theatre.backups.stored.values()] == [False]


async def test_what_is_taken_with_quorum_is_marked_so() -> None:
    """And so it counts before a change, and for a restore."""
    theatre = a_theatre("etcd backup", {})
    await theatre.approved()
    await theatre.work()
    assert [snapshot.origin.quorum for snapshot, _ in theatre.backups.stored.values()] == [True]
