"""Rolling defragmentation: in which order, and what becomes of it when a member does not answer."""

from collections.abc import Callable, Sequence

import pytest

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import Condition
from procedures.actions.etcd.defragment import SETTLE_S
from procedures.engine.ports import NotHappened, Unclear
from procedures.etcd.fragmentation import MIB
from procedures.model.errors import InDoubt
from procedures.model.events import Done, Started
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import Sample
from procedures.model.run import State
from tests.support.script import Script
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.engine.test_checked_again import Interrupted

ALL = ("demo-1", "demo-2", "demo-3")


def a_fragmented(**args: str) -> Theatre:
    theatre = a_theatre("etcd defrag", args)
    for member in theatre.sight.demo.members.values():
        member.db_size, member.db_size_in_use = 300 * MIB, 30 * MIB
    return theatre


def order(theatre: Theatre) -> list[str]:
    """Who was defragmented and who got leadership, in order."""
    names: dict[str, str] = {}
    for member in theatre.sight.demo.members.values():
        names |= {member.client_url: member.name, str(member.id): member.name}
    said = [effect.split() for effect in theatre.effects]
    return [f"{verb} {names[what]}" for verb, what in said]


class Lossy(FakeEtcd):
    """A defragmentation is never answered; `then` is what becomes of it."""

    then: Callable[[], None]

    async def defragment(self, cluster: Cluster, endpoint: str, *, limit_ms: int) -> None:
        self.then()
        message = f"Nothing is known of {cluster.name} at {endpoint} after {limit_ms} ms."
        raise InDoubt(message)


def lose_answers(theatre: Theatre, then: Callable[[], None]) -> None:
    etcd = Lossy(theatre.sight.etcd.clusters, theatre.sight.clock.now_ms)
    etcd.then = then
    theatre.sight.etcd = etcd


class Compacting(FakeEtcd):
    """With each look, one member has dropped more of its old versions, down to 30 MiB."""

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        member = self.clusters[cluster.name].members[MemberName("demo-2")]
        member.db_size_in_use = max(member.db_size_in_use - 10 * MIB, 30 * MIB)
        return await super().sample(cluster, extra)


async def test_a_member_drops_old_versions_first() -> None:
    """A compaction that is not done yet would leave pages that need another turn."""
    theatre = a_fragmented()
    await theatre.approved()
    member = theatre.sight.demo.members[MemberName("demo-2")]
    member.db_size_in_use = 290 * MIB
    theatre.sight.etcd = Compacting(theatre.sight.etcd.clusters, theatre.sight.clock.now_ms)
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert f"demo-2 ({member.id}) still drops old versions; waiting until it is done" in pen.said
    assert member.db_size == 30 * MIB


@pytest.mark.parametrize("leader", ALL)
async def test_the_leader_comes_last(leader: str) -> None:
    """After it has handed over to one that is done: one election for the whole cluster."""
    theatre = a_fragmented()
    demo = theatre.sight.demo
    demo.hand_over(demo.members[MemberName(leader)])
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    first, second = (name for name in ALL if name != leader)
    found = order(theatre)
    assert found[:2] == [f"defragment {first}", f"defragment {second}"]
    assert found[2] in {f"lead {first}", f"lead {second}"}
    assert found[3:] == [f"defragment {leader}"]


async def test_who_leads_is_no_part_of_the_plan() -> None:
    """Leadership moves between plan and start, and in between: still each of them once."""
    theatre = a_fragmented()
    demo = theatre.sight.demo
    await theatre.approved()
    demo.hand_over(demo.members[MemberName("demo-2")])
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert [each for each in order(theatre) if each.startswith("defragment")] == [
        "defragment demo-1",
        "defragment demo-3",
        "defragment demo-2",
    ]


async def test_a_member_with_little_to_win_is_passed_over() -> None:
    """With a word; the others have their turn."""
    theatre = a_fragmented()
    theatre.sight.demo.members[MemberName("demo-2")].db_size_in_use = 290 * MIB
    await theatre.approved()
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert "defragment demo-2" not in order(theatre)
    assert "demo-2 (a002): little to win, 3 % of 300.0 MiB free" in pen.said


async def test_it_ends_where_a_member_gets_ill() -> None:
    """Nobody is made to stop serving while another is down; the run can be resumed."""
    theatre = a_fragmented()
    await theatre.approved()
    demo = theatre.sight.demo
    demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-3 must be healthy first (R11)" in str(theatre.run.error)
    assert order(theatre) == []


async def test_a_lost_answer_of_what_was_done() -> None:
    """It shows in the size of the file, once the member serves again: the run goes on."""
    theatre = a_fragmented(member="demo-3")
    await theatre.approved()
    demo3 = theatre.sight.demo.members[MemberName("demo-3")]

    def done_in_a_while() -> None:
        demo3.condition = Condition.FROZEN
        over_ms = theatre.sight.clock.ms + 240_000

        def pass_time() -> None:
            if theatre.sight.clock.ms >= over_ms:
                demo3.condition, demo3.db_size = Condition.RUNNING, demo3.db_size_in_use

        theatre.sight.clock.on_sleep = pass_time

    lose_answers(theatre, done_in_a_while)
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert "demo-3 (a003): from 300.0 MiB to 30.0 MiB" in pen.said


async def test_a_lost_answer_of_what_was_not_done() -> None:
    """It ends in words, with what to do next."""
    theatre = a_fragmented(member="demo-3")
    await theatre.approved()
    lose_answers(theatre, lambda: None)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-3 (a003) was not defragmented: Nothing is known of" in str(theatre.run.error)
    assert "Resume to try again" in str(theatre.run.error)


async def test_a_member_that_does_not_come_back() -> None:
    """It is waited for, with an end; no other has its turn."""
    theatre = a_fragmented()
    await theatre.approved()
    demo2 = theatre.sight.demo.members[MemberName("demo-2")]

    def freeze() -> None:
        demo2.condition = Condition.FROZEN

    lose_answers(theatre, freeze)
    before = theatre.sight.clock.ms
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo is not healthy 600 s after demo-2 (a002)" in str(theatre.run.error)
    assert theatre.sight.clock.ms - before < 700_000


async def test_leadership_comes_back_meanwhile() -> None:
    """Whoever leads keeps serving: the step ends before anything is sent (R9)."""
    theatre = a_fragmented(member="demo-3")
    await theatre.approved()
    theatre.append(Started(1, 1), Done(1, None), Started(2, 1), Done(2, None))
    demo = theatre.sight.demo
    demo.hand_over(demo.members[MemberName("demo-3")])
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-3 (a003) leads (R9)" in str(theatre.run.error)
    assert order(theatre) == []


async def test_somebody_takes_a_member_out_meanwhile() -> None:
    """What was approved was another cluster (R7)."""
    theatre = a_fragmented()
    await theatre.approved()
    del theatre.sight.demo.members[MemberName("demo-2")]
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-2 (a002) is not a member any more (R7)" in str(theatre.run.error)


async def test_all_are_well_for_a_while_before_the_next_has_its_turn() -> None:
    """A member that has just come back may not be relied on yet."""
    theatre = a_fragmented()
    await theatre.approved()
    clock, guarded = theatre.sight.clock, list[int]()
    await theatre.work(Script(at_guard=lambda: guarded.append(clock.ms)))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    _, first, second, *_ = guarded
    assert second - first >= SETTLE_S * 1_000


class Damaging(FakeEtcd):
    """What is defragmented loses writes."""

    async def defragment(self, cluster: Cluster, endpoint: str, *, limit_ms: int) -> None:
        await super().defragment(cluster, endpoint, limit_ms=limit_ms)
        self.clusters[cluster.name].revision -= 50


async def test_a_member_that_comes_back_with_less() -> None:
    """It would tell old data: people are told before another has its turn (R11)."""
    theatre = a_fragmented()
    await theatre.approved()
    theatre.sight.etcd = Damaging(theatre.sight.etcd.clusters, theatre.sight.clock.now_ms)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "came back with revision 50, and had 100 before (R11)" in str(theatre.run.error)
    assert len(order(theatre)) == 1


async def test_a_member_that_serves_for_a_moment_is_not_done_with_it() -> None:
    """Two looks in a row have to find that nobody is at it."""
    theatre = a_fragmented()
    await theatre.approved()
    demo1, clock = theatre.sight.demo.members[MemberName("demo-1")], theatre.sight.clock
    demo1.condition = Condition.FROZEN

    def freeze() -> None:
        demo1.condition = Condition.FROZEN

    def serve(_: Theatre) -> None:
        demo1.condition = Condition.RUNNING
        clock.on_sleep = freeze

    found = await Interrupted(theatre, 2).finding(serve)
    assert isinstance(found, Unclear)
    assert "may still be at its data file" in found.why


async def test_a_member_that_serves_again_is_done_with_it() -> None:
    """Then it may be done again: one that has little to win is passed over."""
    theatre = a_fragmented()
    await theatre.approved()
    assert isinstance(await Interrupted(theatre, 2).finding(), NotHappened)
