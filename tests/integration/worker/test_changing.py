"""Changes on a real Redis and a fake cluster: planned, decided, carried out, forged."""

import time

import pytest

from bot.deciding import Decisions
from bot.store import keys
from bot.store.signing import Signer
from bot.targets.etcd.model import Condition
from procedures.model.errors import Refused
from procedures.model.events import (
    Decided,
    Done,
    Event,
    Settled,
    Started,
    Voted,
)
from procedures.model.ids import MemberName
from procedures.model.run import Run, State
from tests.integration.worker.team import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NEW_URL,
    SITE,
    Team,
    eligible,
    failed,
    nothing_happens,
    waiting_for_votes,
)
from tests.support.signing import FRONT, STRANGER, WORKER


async def test_a_change_is_planned_decided_and_carried_out(team: Team) -> None:
    """Nothing happens before the vote; then each step is journalled, and the lock is free again."""
    name = await waiting_for_votes(team)
    assert team.url() != (NEW_URL,)
    async with team.working():
        await team.vote(name, BOB)
        run = await team.reaches(name, State.SUCCEEDED, State.FAILED)
    assert run.error is None
    assert team.url() == (NEW_URL,)
    assert [step.attempts for step in run.steps.values()] == [1, 1, 1]
    assert await team.redis.keys("quorumbot:lock:etcd/demo") == []
    assert await team.redis.zcard(keys.unfinished(SITE)) == 0
    assert await team.redis.zcard(keys.waiting(SITE)) == 0
    assert await team.redis.ttl(keys.events(name)) == -1


async def test_a_reject_ends_it(team: Team) -> None:
    """And an approval after it is told so."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB, "reject")
    assert (await team.run(name)).state is State.REJECTED
    with pytest.raises(Refused, match="nothing to decide any more"):
        await team.vote(name, CAROL)
    run = await nothing_happens(team, name)
    assert run.state is State.REJECTED


async def test_the_cluster_changes_before_the_start(team: Team) -> None:
    """The votes are void, and people are asked again, with the new plan."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    member = team.sight.demo.members[next(iter(team.sight.demo.members))]
    member.peer_urls = ("https://10.7.7.7:2380",)
    async with team.working():
        run = await team.reaches(name, State.WAITING_FOR_APPROVAL)
    assert run.plans == 2
    assert run.votes == ()
    assert team.url() == ("https://10.7.7.7:2380",)


async def test_the_cluster_changes_each_time(team: Team) -> None:
    """It is planned three times at most; then it fails, and says so."""
    name = await waiting_for_votes(team)
    member = team.sight.demo.members[next(iter(team.sight.demo.members))]
    for number in (1, 2, 3):
        await team.vote(name, BOB)
        member.peer_urls = (f"https://10.7.7.{number}:2380",)
        async with team.working():
            run = await team.reaches(name, State.WAITING_FOR_APPROVAL, State.FAILED)
        assert run.state is (State.FAILED if number == 3 else State.WAITING_FOR_APPROVAL)
    assert run.plans == 3
    assert "demo changed each time before it began; planned 3 times" in (run.error or "")
    assert team.url() == ("https://10.7.7.3:2380",)


async def test_one_change_at_a_time(team: Team) -> None:
    """The second one waits until the first has ended."""
    name = await waiting_for_votes(team)
    await team.redis.set(keys.lock("etcd/demo"), "r-00000000")
    await team.vote(name, BOB)
    run = await nothing_happens(team, name)
    assert not run.steps
    assert (run.held or "").startswith("Run r-00000000 is changing the cluster: this begins when")
    await team.redis.delete(keys.lock("etcd/demo"))
    async with team.working():
        await team.reaches(name, State.SUCCEEDED)


async def test_a_refusal_asks_nobody(team: Team) -> None:
    """Removing a healthy member while another is down: the rule, and what would satisfy it."""
    team.sight.demo.members[MemberName("demo-2")].condition = Condition.STOPPED
    async with team.working():
        name = await team.ask(member="demo-3", command="etcd member remove")
        run = await team.reaches(name, State.REFUSED)
    assert run.error == (
        "it would leave 1 healthy of 2, quorum 2 (R2). Bring demo-2 back first, or remove what "
        "is dead."
    )


def forged_votes(run: Run) -> tuple[Event, ...]:
    """With which a worker would begin, if it believed them."""
    assert run.plan is not None
    digest = run.plan.digest
    cluster = run.request.cluster
    soon_ms = time.time_ns() // 1_000_000 + 60_000
    return (
        Voted(BOB, "approve", digest),
        Decided("approved", digest, ALICE, cluster, 1, (BOB,), soon_ms),
    )


@pytest.mark.parametrize("signer", [STRANGER, WORKER], ids=["nobody's key", "a worker's key"])
async def test_forged_votes_start_nothing(team: Team, signer: Signer) -> None:
    """Nor do those that a worker signs: it may not speak for people."""
    name = await waiting_for_votes(team)
    await team.forge(name, signer, *forged_votes(await team.run(name)))
    run = await nothing_happens(team, name)
    assert not run.steps
    assert (await team.runs.read(name)).faults


@pytest.mark.parametrize("begun", [False, True])
async def test_a_decision_without_votes_starts_nothing(team: Team, begun: bool) -> None:
    """A worker counts the votes itself, also before it goes on with what was begun."""
    name = await waiting_for_votes(team)
    _, decided = forged_votes(await team.run(name))
    await team.forge(name, FRONT, decided)
    if begun:
        await team.forge(name, WORKER, Started(1, 1))
    before = team.url()
    async with team.working():
        run = await team.reaches(name, State.FAILED, State.SUCCEEDED)
    assert team.url() == before
    assert run.error == "the approvals in its journal do not suffice. Ask again."


async def test_votes_of_another_run_start_nothing(team: Team) -> None:
    """Signed by a front, on the same plan, and copied over."""
    first, second = await waiting_for_votes(team), await waiting_for_votes(team)
    await team.vote(first, BOB)
    for raw in (await team.redis.lrange(keys.events(first), 0, -1))[-2:]:
        await team.redis.rpush(keys.events(second), raw)
    await team.redis.zrem(keys.unfinished(SITE), first)
    await team.redis.zadd(keys.unfinished(SITE), {second: 0})
    run = await nothing_happens(team, second)
    assert not run.steps
    assert (await team.runs.read(second)).faults


async def test_a_changed_plan_starts_nothing(team: Team) -> None:
    """Approved, and then another URL written into the stored plan."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    stored: list[bytes] = await team.redis.lrange(keys.events(name), 0, -1)  # type: ignore[assignment]  # this client decodes nothing
    for index, raw in enumerate(stored):
        if b'"planned"' in raw:
            forged = raw.replace(b"10.9.9.9", b"10.6.6.6")
            assert forged != raw
            await team.redis.lset(keys.events(name), index, forged)  # type: ignore[arg-type]  # redis-py takes bytes too
    run = await nothing_happens(team, name)
    assert not run.steps
    assert (await team.runs.read(name)).faults


async def test_a_forged_done_skips_nothing(team: Team) -> None:
    """A step counts as done only when a worker says so."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    await team.forge(name, FRONT, Started(2, 1), Done(2, None))
    async with team.working():
        run = await team.reaches(name, State.SUCCEEDED)
    assert team.url() == (NEW_URL,)
    assert run.steps[2].found is False


async def test_a_forged_answer_to_a_doubt_settles_nothing(team: Team) -> None:
    """Only a front may write what a person has seen."""
    name = await waiting_for_votes(team)
    await team.forge(name, WORKER, Settled(1, "happened", BOB))
    run = await nothing_happens(team, name)
    assert run.state is State.WAITING_FOR_APPROVAL
    assert (await team.runs.read(name)).faults


async def test_a_rewound_journal_starts_nothing(team: Team) -> None:
    """A reject is cut off, and an approval follows: whoever has seen the reject believes none."""
    name = await waiting_for_votes(team)
    runs = team.runs
    decisions = Decisions(runs, {})
    digest = (await team.run(name)).question({}).digest
    await decisions.vote(name, BOB, "reject", digest, eligible)
    await team.redis.ltrim(keys.events(name), 0, -3)
    await team.redis.zadd(keys.waiting(SITE), {name: 0})
    with pytest.raises(Refused):
        await decisions.vote(name, CAROL, "approve", digest, eligible)
    assert "shorter than it was" in (await runs.read(name)).faults[-1]


async def test_a_failed_run_is_resumed(team: Team) -> None:
    """By who asked; it goes on at its failed step, and does not do those before again."""
    name = await failed(team)
    with pytest.raises(Refused):
        await team.decisions.resume(name, DAVE, eligible)
    await team.decisions.resume(name, ALICE, eligible)
    async with team.working():
        run = await team.reaches(name, State.SUCCEEDED, State.FAILED)
    assert run.error is None
    assert [step.attempts for step in run.steps.values()] == [1, 1, 2]
    assert team.url() != (NEW_URL,)


async def test_a_failed_run_is_not_resumed_after_another(team: Team) -> None:
    """Somebody else has changed the cluster meanwhile: it has to be planned anew."""
    name = await failed(team)
    other = await team.ask(member="demo-2", url="https://10.8.8.8:2380")
    async with team.working():
        await team.reaches(other, State.WAITING_FOR_APPROVAL)
        await team.vote(other, BOB)
        await team.reaches(other, State.SUCCEEDED)
        await team.decisions.resume(name, ALICE, eligible)
        run = await team.reaches(name, State.FAILED)
    assert (run.error or "").startswith("another run has changed it since this one began")
    assert await team.redis.keys("quorumbot:lock:etcd/demo") == []


async def test_a_surprise_while_planning(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """People get words instead of silence, and the run ends."""

    async def boom(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(team.sight.etcd, "sample", boom)
    async with team.working():
        run = await team.reaches(await team.ask(), State.REFUSED)
    assert (run.error or "").startswith("something went wrong inside the worker.")
    assert (await team.runs.read(run.id)).version == 3


async def test_a_surprise_in_a_step(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell what became of it: a person decides, and it is not tried for ever."""
    name = await waiting_for_votes(team)

    async def boom(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(team.sight.etcd, "update_peer_urls", boom)
    await team.vote(name, BOB)
    async with team.working():
        run = await team.reaches(name, State.IN_DOUBT)
    assert run.doubt is not None
    assert run.doubt.step == 2
    assert run.steps[2].attempts == 1
