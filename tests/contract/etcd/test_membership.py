"""What becomes of the addition and the promotion of a member."""

import pytest

from procedures.model.errors import InDoubt, Permanent, QuorumbotError, Retryable
from procedures.model.ids import MemberId
from tests.contract.etcd.test_act import NOBODY, roles, rows, url
from tests.contract.etcd.worlds import ONE, THREE, TWO, World
from tests.support.waiting import eventually

NEW = "https://127.0.0.1:1"


async def settled(world: World) -> None:
    """Wait until etcd has seen all members connected for 5 s, as it wants to before it adds one."""
    taken = [world.peer_url(TWO)]

    async def long_connected() -> bool:
        with pytest.raises(Permanent) as caught:
            await world.actor.add_member(world.cluster, url(world, ONE), taken, learner=True)
        return "Peer URLs already exists" in str(caught.value)

    await eventually(long_connected, 30, "all members have been connected for 5 s")


async def added(world: World, *, learner: bool) -> MemberId:
    """Add a member."""
    await settled(world)
    return await world.actor.add_member(world.cluster, url(world, ONE), [NEW], learner=learner)


@pytest.mark.parametrize("learner", [True, False])
async def test_a_member_is_added(private_world: World, learner: bool) -> None:
    """It is listed under the id that was given, has not started, and its URL is taken.

    A second one is refused for the first reason that etcd comes by: within the same second the
    id, which it makes from URL and time; a voter that has not started; the URL.
    """
    world = private_world
    before = await rows(world, ONE)
    member = await added(world, learner=learner)
    after = await rows(world, ONE)
    row = after.pop(member)
    assert after == before
    assert (row.started, row.learner, row.peer_urls) == (False, learner, (NEW,))
    taken = "Peer URLs already exists" if learner else "unhealthy cluster"
    with pytest.raises(Permanent, match=f"{taken}|member ID already exist"):
        await world.actor.add_member(world.cluster, url(world, ONE), [NEW], learner=learner)
    assert set(await rows(world, ONE)) == {*before, member}


async def test_a_second_learner_is_refused(private_world: World) -> None:
    """etcd takes one learner at a time."""
    world = private_world
    member = await added(world, learner=True)
    before = await rows(world, ONE)
    with pytest.raises(Permanent, match="too many learner members in cluster"):
        await world.actor.add_member(
            world.cluster, url(world, ONE), ["https://127.0.0.1:2"], learner=True
        )
    assert member in before
    assert await rows(world, ONE) == before


async def test_peer_urls_that_are_none(world: World) -> None:
    """They are not sent: a member with such a URL would kill the others."""
    for bad in ("", "127.0.0.1:2380", "https://host:2380/path"):
        with pytest.raises(Permanent, match="was not sent"):
            await world.actor.add_member(world.cluster, url(world, ONE), [bad], learner=True)


async def test_an_addition_while_a_voter_is_down(private_world: World) -> None:
    """etcd refuses it, and nobody is added."""
    world = private_world
    who = await roles(world)
    await world.kill(who.followers[0])
    await world.missed(who.followers[0])
    with pytest.raises(Permanent, match="unhealthy cluster"):
        await world.actor.add_member(world.cluster, url(world, who.leader), [NEW], learner=True)
    assert set(await rows(world, who.leader)) == set(who.ids.values())


async def test_an_addition_without_quorum_happens_later(private_world: World) -> None:
    """It is in doubt, nobody is listed yet, and it is carried out when quorum returns."""
    world, who = private_world, await roles(private_world)
    await settled(world)
    for member in who.followers:
        await world.freeze(member)
    try:
        with pytest.raises(InDoubt, match="happen later"):
            await world.actor.add_member(world.cluster, url(world, who.leader), [NEW], learner=True)
        assert set(await rows(world, who.leader)) == set(who.ids.values())
    finally:
        for member in who.followers:
            await world.thaw(member)

    async def listed() -> bool:
        urls = [row.peer_urls for row in (await rows(world, who.leader)).values()]
        return (NEW,) in urls

    await eventually(listed, 20, "the addition is carried out")


async def test_a_learner_is_promoted(private_world: World) -> None:
    """Once it has caught up; a second promotion is refused."""
    world = private_world
    await world.replace_by_learner(THREE)
    member = next(id_ for id_, row in (await rows(world, ONE)).items() if row.learner)

    async def promoted() -> bool:
        try:
            await world.actor.promote_member(world.cluster, url(world, ONE), member)
        except QuorumbotError as error:
            assert isinstance(error, Retryable) or "unhealthy cluster" in str(error)  # noqa: PT017
            return False
        return True

    async def a_voter() -> bool:
        return not (await rows(world, ONE))[member].learner

    await eventually(promoted, 30, "etcd promotes the learner")
    # The leader promotes; of etcd 3.4, who was asked may know of it a moment later.
    await eventually(a_voter, 5, "the one that was asked knows of the voter")
    with pytest.raises(Permanent, match=r"can only promote a learner member\. It is a voter"):
        await world.actor.promote_member(world.cluster, url(world, ONE), member)


async def test_a_learner_that_lags_is_not_promoted(private_world: World) -> None:
    """One that has never started has nothing of the log: it may be tried again later."""
    world = private_world
    member = await added(world, learner=True)
    with pytest.raises(Retryable, match="in sync with leader"):
        await world.actor.promote_member(world.cluster, url(world, ONE), member)
    assert (await rows(world, ONE))[member].learner


async def test_nobody_is_promoted(world: World) -> None:
    """An id that no member has, and a voter."""
    who = await roles(world)
    endpoint = url(world, who.leader)
    with pytest.raises(Permanent, match="member not found"):
        await world.actor.promote_member(world.cluster, endpoint, NOBODY)
    with pytest.raises(Permanent, match="can only promote a learner member"):
        await world.actor.promote_member(world.cluster, endpoint, who.ids[who.followers[0]])
