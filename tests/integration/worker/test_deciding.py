"""What people decide on a change, and what is refused to whom: on a real Redis."""

import time
from collections.abc import Iterable

import pytest

from bot.deciding import RESUME_MS, Decisions
from bot.store import keys
from procedures.model.approval import EXPIRES_MS
from procedures.model.errors import Refused
from procedures.model.events import (
    Began,
    Doubted,
    Started,
)
from procedures.model.ids import RunId, UserId
from procedures.model.run import State
from tests.integration.worker.team import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    DECISIONS,
    SITE,
    Team,
    eligible,
    failed,
    nothing_happens,
    waiting_for_votes,
)
from tests.support.signing import WORKER


@pytest.mark.parametrize("user", [ALICE, DAVE])
async def test_who_may_not_vote(team: Team, user: UserId) -> None:
    """Neither who asked nor who is no approver; nothing is written."""
    name = await waiting_for_votes(team)
    before = (await team.runs.read(name)).version
    with pytest.raises(Refused):
        await team.vote(name, user)
    assert (await team.runs.read(name)).version == before


async def test_a_vote_on_another_plan(team: Team) -> None:
    """A click on a message that showed another plan changes nothing."""
    name = await waiting_for_votes(team)
    with pytest.raises(Refused, match="plan has changed"):
        await team.decisions.vote(name, BOB, "approve", "0" * 64, eligible)


async def test_cancelled_while_people_decide(team: Team) -> None:
    """By who asked: at once. By somebody who is neither that nor an approver: not at all."""
    name = await waiting_for_votes(team)
    with pytest.raises(Refused):
        await team.decisions.cancel(name, DAVE, eligible)
    await team.decisions.cancel(name, ALICE, eligible)
    run = await team.run(name)
    assert (run.state, run.error) == (State.CANCELLED, "nothing was done.")


async def test_the_deciding_vote_asks_anew(team: Team) -> None:
    """Who is remembered as an approver, and is none any more, decides nothing."""
    name = await waiting_for_votes(team)
    digest = (await team.run(name)).question({}).digest

    async def nobody(_: Iterable[UserId]) -> frozenset[UserId]:
        return frozenset()

    with pytest.raises(Refused, match="You may not approve"):
        await team.decisions.vote(name, BOB, "approve", digest, nobody, likely=eligible)
    assert (await team.run(name)).votes == ()


async def removing(team: Team) -> RunId:
    """A removal, which takes two people."""
    name = await team.ask(command="etcd member remove", member="demo-3")
    async with team.working():
        await team.reaches(name, State.WAITING_FOR_APPROVAL)
    return name


async def test_two_people_decide(team: Team) -> None:
    """The second one decides, and the decision names both."""
    name = await removing(team)
    await team.vote(name, BOB)
    assert (await team.run(name)).decided is None
    await team.vote(name, CAROL)
    run = await team.run(name)
    assert run.state is State.QUEUED
    assert run.decided is not None
    assert set(run.decided.voters) == {BOB, CAROL}


async def test_who_voted_first_is_read_again(team: Team) -> None:
    """Whoever may not approve any more when it is decided does not count, and another has to."""
    name = await removing(team)
    await team.vote(name, BOB)
    digest = (await team.run(name)).question({}).digest

    async def without_bob(users: Iterable[UserId]) -> frozenset[UserId]:
        return (await eligible(users)) - {BOB}

    await team.decisions.vote(name, CAROL, "approve", digest, without_bob, likely=eligible)
    run = await team.run(name)
    assert (run.state, run.decided) == (State.WAITING_FOR_APPROVAL, None)


async def test_an_approver_thinks_again(team: Team) -> None:
    """One person counts once; who has approved may still reject, which ends it."""
    name = await removing(team)
    await team.vote(name, BOB)
    with pytest.raises(Refused, match="counts already"):
        await team.vote(name, BOB)
    assert (await team.run(name)).state is State.WAITING_FOR_APPROVAL
    await team.vote(name, BOB, "reject")
    assert (await team.run(name)).state is State.REJECTED


async def test_a_vote_that_comes_too_late(team: Team) -> None:
    """After the 15 minutes nothing counts, although nobody has ended the run yet."""
    name = await waiting_for_votes(team)
    digest = (await team.run(name)).question({}).digest
    later = Decisions(team.runs, {}, lambda: time.time_ns() // 1_000_000 + EXPIRES_MS)
    for decision in DECISIONS:
        with pytest.raises(Refused, match="too late"):
            await later.vote(name, BOB, decision, digest, eligible)
    assert (await team.run(name)).votes == ()


async def test_the_requester_under_another_account(team: Team) -> None:
    """Two accounts of one person are one person, at the click already."""
    name = await waiting_for_votes(team)
    digest = (await team.run(name)).question({}).digest
    decisions = Decisions(team.runs, {ALICE: "alice", BOB: "alice"})
    with pytest.raises(Refused, match="your own vote does not count"):
        await decisions.vote(name, BOB, "approve", digest, eligible)


async def test_who_may_resume_and_when(team: Team) -> None:
    """Who asked, or an approver; within a day."""
    name = await failed(team)
    with pytest.raises(Refused, match="Only who asked for it, or an approver, may resume it"):
        await team.decisions.resume(name, DAVE, eligible)
    tomorrow = Decisions(team.runs, {}, lambda: time.time_ns() // 1_000_000 + RESUME_MS + 1)
    with pytest.raises(Refused, match="more than 24 h ago"):
        await tomorrow.resume(name, ALICE, eligible)
    assert (await team.run(name)).state is State.FAILED


async def test_who_may_settle_a_doubt(team: Team) -> None:
    """An approver, on the plan that was on the screen; and then it is no doubt any more."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    await team.forge(name, WORKER, Began("w"))
    await team.forge(name, WORKER, Started(1, 1))
    await team.forge(name, WORKER, Doubted(1, "nobody can tell"))
    digest = (await team.run(name)).question({}).digest
    with pytest.raises(Refused, match="decide that first"):
        await team.decisions.cancel(name, ALICE, eligible)
    with pytest.raises(Refused, match="You may not decide"):
        await team.decisions.settle(name, DAVE, "stop", digest, eligible, asked="1.1")
    for other, asked in (("0" * 64, "1.1"), (digest, "1.2"), (digest, "2.1"), (digest, "")):
        with pytest.raises(Refused, match="message has changed"):
            await team.decisions.settle(name, BOB, "stop", other, eligible, asked=asked)
    assert (await team.run(name)).state is State.IN_DOUBT
    await team.decisions.settle(name, BOB, "stop", digest, eligible, asked="1.1")
    assert (await team.run(name)).state is State.FAILED
    with pytest.raises(Refused, match="Nothing is in doubt there any more"):
        await team.decisions.settle(name, BOB, "happened", digest, eligible, asked="1.1")


async def test_a_run_in_doubt_that_is_woken(team: Team) -> None:
    """Somebody with access to the store puts it among the open ones: it still waits for people."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    await team.forge(name, WORKER, Began("w"), Started(1, 1), Doubted(1, "nobody can tell"))
    version = (await team.runs.read(name)).version
    run = await nothing_happens(team, name)
    assert run.state is State.IN_DOUBT
    assert (await team.runs.read(name)).version == version
    assert await team.redis.zscore(keys.waiting(SITE), name) is not None
