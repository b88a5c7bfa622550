"""Rolling defragmentation: in which order, and what becomes of it when a member does not answer."""

from collections.abc import Callable

import pytest

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import Condition
from procedures.etcd.fragmentation import MIB
from procedures.model.errors import InDoubt
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster
from procedures.model.run import State
from tests.support.theatre import Theatre, a_theatre

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
