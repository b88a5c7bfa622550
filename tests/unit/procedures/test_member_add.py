"""Adding and promoting members: what is waited for, what is said, and what is left to people."""

import asyncio
from dataclasses import replace

from bot.targets.etcd.model import Condition, FakeMember
from procedures.model.ids import ClusterName, MemberName
from procedures.model.run import State
from tests.support.script import Script
from tests.support.theatre import Theatre, a_theatre

NEW = "https://10.0.0.4:2380"
TWO, THREE = MemberName("demo-2"), MemberName("demo-3")


def adding(**more: bool) -> Theatre:
    return a_theatre("etcd member add", {"name": "demo-4", "peer_url": NEW, **more})


def promoting(*, behind: int = 0) -> tuple[Theatre, FakeMember]:
    theatre = a_theatre("etcd member promote", {"member": "demo-4"})
    learner = theatre.sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2390", learner=True)
    learner.raft_behind = behind
    return theatre, learner


async def test_what_starts_the_new_member_is_said() -> None:
    """With all peer URLs, and as a member of the cluster that is there."""
    theatre = adding()
    await theatre.approved()
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    peers = [f"demo-{number}=https://demo-{number}.invalid:2380" for number in (1, 2, 3)]
    assert pen.said[-6:-1] == [
        "added as a004; start etcd on its host, with an empty data folder, by:",
        "ETCD_NAME=demo-4",
        f"ETCD_INITIAL_CLUSTER={','.join(peers)},demo-4={NEW}",
        "ETCD_INITIAL_CLUSTER_STATE=existing",
        "ETCD_INITIAL_ADVERTISE_PEER_URLS=https://10.0.0.4:2380",
    ]
    assert theatre.run.steps[2].value == "a004"


async def test_a_voter_at_once() -> None:
    """It is listed as a voter, and counts before it has started."""
    theatre = adding(voter=True)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert len(theatre.sight.demo.voters) == 4


async def test_health_has_to_last() -> None:
    """A member that was down a moment ago keeps etcd from adding one: it is waited for."""
    theatre = adding()
    await theatre.approved()
    two = theatre.sight.demo.members[TWO]
    two.condition = Condition.STOPPED
    back_ms = theatre.sight.clock.ms + 20_000

    def come_back() -> None:
        if theatre.sight.clock.ms >= back_ms:
            two.condition = Condition.RUNNING

    theatre.sight.clock.on_sleep = come_back
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert "waiting: demo-2 must be healthy first (R3)" in pen.said
    assert theatre.sight.clock.ms >= back_ms + 6_000


async def test_health_that_comes_and_goes() -> None:
    """The time counts from the last moment in which somebody was not well."""
    theatre = adding()
    await theatre.approved()
    two, clock = theatre.sight.demo.members[TWO], theatre.sight.clock
    from_ms, back_ms = clock.ms + 3_000, clock.ms + 4_000

    def flap() -> None:
        away = from_ms <= clock.ms < back_ms
        two.condition = Condition.STOPPED if away else Condition.RUNNING

    clock.on_sleep = flap
    guarded: list[int] = []
    await theatre.work(Script(at_guard=lambda: guarded.append(clock.ms)))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert guarded[1] >= back_ms + 6_000


async def test_somebody_else_changes_the_members_meanwhile() -> None:
    """One that was there is gone: people are told who is there (R7)."""
    theatre = adding()
    await theatre.approved()
    members = theatre.sight.demo.members

    async def remove_another() -> None:
        del members[THREE]

    pen = await theatre.work(Script(stall_at=1, meanwhile=remove_another))
    assert any("its list has a001, a002, a004 now. Look at" in line for line in pen.said)


async def test_health_that_does_not_come() -> None:
    """The wait has an end, and nobody was added."""
    theatre = adding()
    await theatre.approved()
    theatre.sight.demo.members[TWO].condition = Condition.STOPPED
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo-2 must be healthy first (R3), for 60 s." in str(theatre.run.error)
    assert theatre.effects == []


async def test_the_url_is_taken_meanwhile() -> None:
    """By a member that works: that one was not added here (R21)."""
    theatre = adding()
    await theatre.approved()
    theatre.sight.demo.members[THREE].peer_urls = (NEW,)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert f"demo-3 has the peer URL {NEW} by now (R21)" in str(theatre.run.error)


async def test_an_addition_that_nobody_can_tell_of() -> None:
    """Quorum is lost right before it is sent: in doubt, and carried out when quorum is back."""
    theatre = adding()
    await theatre.approved()
    demo = theatre.sight.demo

    def lose_quorum() -> "asyncio.Task[None]":
        async def frozen() -> None:
            demo.members[TWO].condition = demo.members[THREE].condition = Condition.FROZEN

        return asyncio.create_task(frozen())

    await theatre.work(Script(stall_at=1, meanwhile=lose_quorum))
    assert theatre.run.state is State.IN_DOUBT
    assert theatre.run.doubt is not None
    assert "an addition that was sent may still be carried out" in theatre.run.doubt.error
    assert len(theatre.members()) == 3
    demo.members[TWO].condition = demo.members[THREE].condition = Condition.RUNNING
    await theatre.sight.etcd.sample(theatre.sight.inventory.clusters[ClusterName("demo")])
    assert NEW in {url for urls in theatre.members().values() for url in urls}


async def test_a_learner_that_catches_up_is_promoted() -> None:
    """It has fallen behind since it was approved, and is waited for."""
    theatre, learner = promoting()
    await theatre.approved()
    learner.raft_behind = 400

    def catch_up() -> None:
        learner.raft_behind = max(0, learner.raft_behind - 100)

    theatre.sight.clock.on_sleep = catch_up
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert not learner.learner
    assert any("demo-4 is at entry 100 of the leader's 500" in line for line in pen.said)


async def test_who_is_not_told_of_a_new_voter() -> None:
    """Its URL reaches the masters by a run of its own; its name is said."""
    theatre, _ = promoting()
    here = theatre.sight.inventory
    cluster = replace(here.clusters[ClusterName("demo")], masters=("demo-1",))
    theatre.sight.inventory = replace(here, clusters={cluster.name: cluster})
    await theatre.approved()
    assert theatre.run.plan is not None
    assert (
        "API servers and other clients are not told of https://127.0.0.1:2390 by this: "
        "/master set-etcd-urls, afterwards."
    ) in theatre.run.plan.facts


async def test_a_learner_that_does_not_catch_up() -> None:
    """The wait has an end, and it stays a learner."""
    theatre, learner = promoting()
    await theatre.approved()
    learner.raft_behind = 400
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "has to be at 90 % (R6), for 60 s." in str(theatre.run.error)
    assert learner.learner


async def test_a_learner_that_somebody_else_promoted() -> None:
    """There is nothing left to do, and the rest is checked."""
    theatre, learner = promoting()
    await theatre.approved()
    learner.learner = False
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert "demo-4 (a004) is a voter already" in pen.said
    assert theatre.effects == ["expect demo-1, demo-2, demo-3, demo-4"]


async def test_a_learner_that_somebody_takes_out_meanwhile() -> None:
    """There is nobody to promote, and that is said."""
    theatre, learner = promoting()
    await theatre.approved()
    learner.raft_behind = 400

    def take_out() -> None:
        theatre.sight.demo.members.pop(learner.name, None)

    theatre.sight.clock.on_sleep = take_out
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is not a member any more (R7)" in str(theatre.run.error)


async def test_the_voters_are_others_than_a_promotion_leaves() -> None:
    """Somebody else took one out meanwhile: people are told who votes now."""
    theatre, learner = promoting()
    await theatre.approved()

    async def remove_another() -> None:
        del theatre.sight.demo.members[THREE]

    pen = await theatre.work(Script(stall_at=1, meanwhile=remove_another))
    assert not learner.learner
    assert any("the voters are a001, a002, a004 now. Look at" in line for line in pen.said)
