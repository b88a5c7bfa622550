"""Answers from a real store: who hears of which run, and what is said when the store is away."""

import os
import signal
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.control.desk import Desk
from bot.control.table import Controls
from bot.deciding import Decisions
from bot.gate import StoreGate
from bot.ports import Caller, Eligible, Said
from bot.store.connection import connect
from bot.store.runs import Runs
from commands.catalogue import REGISTRY
from commands.grammar import Ask, parse
from procedures.model.errors import InDoubt, Refused, Retryable
from procedures.model.events import (
    Asked,
    Began,
    Done,
    Event,
    Failed,
    Planned,
    Reported,
    Requested,
    Requester,
    Started,
    Succeeded,
)
from procedures.model.ids import ChannelId, ClusterName, MemberName, RunId, Site, TeamId, UserId
from procedures.model.inventory import Approvers, Cluster, Inventory, Platform
from procedures.model.run import State, fold
from tests.support.made_runs import ALICE, BOB, REQUEST, UNDO, a_plan
from tests.support.redis import RedisServer
from tests.support.signing import FRONT, KEYRING, WORKER

OPS, OTHER = ChannelId("C0OPS"), ChannelId("C0OTHER")
DAVE = UserId("U0DAVE")
SITE = Site("default")


def a_cluster(name: str, *channels: ChannelId) -> Cluster:
    return Cluster(
        ClusterName(name),
        Platform.ETCD,
        SITE,
        {},
        None,
        channels,
        approvers=Approvers(users=frozenset({BOB})),
    )


CLUSTERS = (a_cluster("demo", OPS), a_cluster("prod", OTHER))
INVENTORY = Inventory({each.name: each for each in CLUSTERS}, frozenset({OPS, OTHER}))


def eligible(cluster: Cluster) -> Eligible:
    async def may(users: Iterable[UserId]) -> frozenset[UserId]:
        return frozenset(users) & cluster.approvers.users

    return may


@dataclass
class Office:
    """Whoever asks, and what a worker did before."""

    redis: Redis
    patience_s: float = 5.0
    count: int = 0

    @property
    def front(self) -> Runs:
        return Runs(self.redis, FRONT, KEYRING)

    async def ask(
        self, text: str, user: UserId = ALICE, channel: ChannelId | None = OPS
    ) -> tuple[str, ...]:
        return (await self.said(text, user, channel)).lines

    async def said(self, text: str, user: UserId, channel: ChannelId | None) -> Said:
        wanted = parse(REGISTRY, INVENTORY, "/ops", text, channel)
        assert isinstance(wanted, Ask)
        gate = StoreGate(self.redis, self.front, INVENTORY.sites)
        await gate.follow_clock()
        desk = Desk(self.redis, gate, Decisions(self.front, {}), INVENTORY, lambda: 0)
        self.count += 1
        who = Requester(user, TeamId("T0"), "somebody")
        caller = Caller(who, channel, f"test:{self.count}", eligible)
        return await Controls(desk, self.patience_s).answer(wanted, caller)

    async def run(self, *events: Event, request: Requested = REQUEST, then: str = "open") -> RunId:
        self.count += 1
        name = await self.front.accept(request, source=f"run:{self.count}")
        worker = Runs(self.redis, WORKER, KEYRING)
        lease, journal = await worker.take(name, SITE)
        match then:
            case "closed":
                await worker.hold(lease, journal, *events, then="closed")
            case "waiting":
                await worker.hold(lease, journal, *events, then="waiting")
            case _:
                await worker.release(lease, await worker.hold(lease, journal, *events))
        return name


@pytest_asyncio.fixture
async def office(redis_server: RedisServer) -> AsyncIterator[Office]:
    client = connect(redis_server.url, redis_server.password)
    yield Office(client)
    await client.aclose()


DONE = (Began("w"), Planned(a_plan(UNDO, UNDO), 0), Started(1, 1), Done(1, None))


async def test_runs_of_another_channel_do_not_exist_here(office: Office) -> None:
    """Neither in lists nor by id, whatever is tried; a terminal sees all."""
    prod = replace(REQUEST, cluster=ClusterName("prod"))
    hidden = await office.run(Began("w"), Planned(a_plan(), 2), request=prod, then="waiting")
    over = await office.run(*DONE, Succeeded(), request=prod, then="closed")
    for verb in ("run", "cancel", "done", "resume", "undo"):
        for name in (hidden, over):
            with pytest.raises(Refused, match=f"There is no run {name} here"):
                await office.ask(f"{verb} {name}", BOB)
    assert await office.ask("runs") == ("No run is under way, and no change has ended.",)
    assert await office.ask("approvals") == ("Nothing waits for a decision.",)
    assert len(await office.ask("runs", channel=OTHER)) == 2
    assert len(await office.ask("runs", channel=None)) == 2


async def test_the_newest_run_is_first(office: Office) -> None:
    """What is under way before what has ended, and of that the last twenty."""
    ended = [await office.run(*DONE, Succeeded(), then="closed") for _ in range(22)]
    waits = await office.run(Began("w"), Planned(a_plan(), 2), then="waiting")
    plans = await office.run(Began("w"))
    listed = [line.split()[0] for line in await office.ask("runs")]
    assert listed == [plans, waits, *reversed(ended[2:])]


async def test_a_failed_run_is_resumed_by_whoever_may(office: Office) -> None:
    """It goes on at its failed step, and is under way again, no matter that it ended before."""
    plan = a_plan()
    name = await office.run(Began("w"), Planned(plan, 1), then="waiting")
    with pytest.raises(Refused, match="this one is waiting for approval"):
        await office.ask(f"resume {name}")
    await Decisions(office.front, {}).vote(name, BOB, "approve", plan.digest, eligible(CLUSTERS[0]))
    worker = Runs(office.redis, WORKER, KEYRING)
    failed = (Began("w"), Started(1, 1), Done(1, None), Started(2, 1), Failed("no.", 2))
    await worker.hold(*await worker.take(name, SITE), *failed, then="closed")
    with pytest.raises(Refused, match="Only who asked for it, or an approver, may resume it"):
        await office.ask(f"resume {name}", DAVE)
    assert await office.ask(f"resume {name}") == (
        f"Do all of demo (run {name}) goes on at step 2.",
    )
    (line,) = await office.ask("runs")
    assert line.startswith(f"{name} Queued: ")


async def test_what_needed_no_approval_is_not_resumed(office: Office) -> None:
    """Asking again is as good."""
    name = await office.run(*DONE, Started(2, 1), Failed("no.", 2), then="closed")
    with pytest.raises(Refused, match="It needed no approval, so it is not resumed"):
        await office.ask(f"resume {name}", BOB)


async def test_done_by_whoever_may(office: Office) -> None:
    """Once for each asking; it is written who said so, and the run is under way again."""
    name = await office.run(*DONE, Asked(2, 1), then="waiting")
    assert "to do step 2, Do 2" in (await office.ask("approvals", DAVE))[0]
    assert "Step 2: Do 2" in await office.ask(f"run {name}", DAVE)
    with pytest.raises(Refused, match="Only who asked for it, or an approver, may say that it is"):
        await office.ask(f"done {name}", DAVE)
    assert await office.ask(f"done {name}", BOB) == (
        f"Step 2 is said to be done: Do all of demo (run {name}) goes on.",
    )
    with pytest.raises(Refused, match="Nothing waits for Done there: it is queued"):
        await office.ask(f"done {name}", BOB)
    assert (await office.front.read(name)).entries[-1].event == Reported(2, 1, BOB)
    (line,) = await office.ask("runs")
    assert line.startswith(f"{name} Queued: ")


async def test_a_repeated_command_says_done_once(office: Office) -> None:
    """Slack delivers it again, when the run asks for the next thing already."""
    name = await office.run(*DONE, Asked(2, 1), then="waiting")
    await office.ask(f"done {name}")
    worker = Runs(office.redis, WORKER, KEYRING)
    await worker.hold(*await worker.take(name, SITE), Asked(2, 2, "no."), then="waiting")
    office.count -= 1
    with pytest.raises(Refused, match="That was taken in already"):
        await office.ask(f"done {name}")
    run = fold((await office.front.read(name)).entries)
    assert run is not None
    assert run.state is State.WAITING_FOR_A_PERSON


async def test_a_question_is_not_cancelled(office: Office) -> None:
    """It ends by itself."""
    name = await office.run(Began("w"), request=replace(REQUEST, command="etcd health"))
    with pytest.raises(Refused, match="is a question"):
        await office.ask(f"cancel {name}")


async def test_a_run_under_way_is_brought_to_its_end(office: Office) -> None:
    """It is said that this takes a moment; a second wish is refused."""
    name = await office.run(*DONE)
    (line,) = await office.ask(f"cancel {name}", BOB)
    assert line == (
        f"Do all of demo (run {name}) ends at the next safe place; then it says what was done."
    )
    with pytest.raises(Refused, match="Somebody asked for its end already"):
        await office.ask(f"cancel {name}")


async def test_each_step_is_taken_back_by_a_request_of_its_own(office: Office) -> None:
    """In the reverse order, in the channel where it is asked."""
    name = await office.run(*DONE, Started(2, 1), Done(2, None), Succeeded(), then="closed")
    lines = await office.ask(f"undo {name}", DAVE)
    assert [line.partition(":")[0] for line in lines] == ["Step 2", "Step 1"]
    asked = [RunId(line[-11:-1]) for line in lines]
    for each in asked:
        run = fold((await office.front.read(each)).entries)
        assert run is not None
        assert (run.state, run.request.requester.user) == (State.QUEUED, DAVE)
        assert (run.request.args, run.request.channel) == (UNDO.args, OPS)


async def test_clusters_tell_how_many_are_expected(office: Office) -> None:
    """As it is recorded, where somebody has."""
    demo = ClusterName("demo")
    assert (await office.said("clusters", ALICE, OPS)).lines[0].startswith("demo: etcd, 0 members")
    name = await office.front.accept(REQUEST, source="to record")
    worker = Runs(office.redis, WORKER, KEYRING)
    lease, journal = await worker.take(name, SITE)
    members = {MemberName("demo-1"): "https://10.0.0.1:2379"}
    swap = worker.expected.sealed(await worker.expected.read(demo), members, name, 0)
    await worker.hold(lease, journal, swap=swap)
    said = await office.said("clusters", ALICE, OPS)
    assert said.lines[0].startswith("demo: etcd, 1 members")
    assert isinstance(said.data, list)
    assert said.data[0]["expected"] == ["demo-1"]


async def test_a_store_that_is_away(private_redis: RedisServer) -> None:
    """Reading may be tried again; whether something was done, nobody can tell."""
    async with connect(private_redis.url, private_redis.password) as client:
        office = Office(client)
        name = await office.run(*DONE)
        await office.ask("runs")
        os.kill(private_redis.pid, signal.SIGSTOP)
        try:
            office.patience_s = 0.2
            with pytest.raises(Retryable, match=r"The store did not answer within 0\.2 s"):
                await office.ask("runs")
            with pytest.raises(InDoubt, match=r"The store did not answer within 0\.2 s"):
                await office.ask(f"cancel {name}")
        finally:
            os.kill(private_redis.pid, signal.SIGCONT)
