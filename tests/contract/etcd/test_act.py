"""What becomes of each change, on a cluster in every condition that matters for it."""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from procedures.model.errors import InDoubt, Permanent, QuorumbotError, Retryable
from procedures.model.ids import MemberId, MemberName
from procedures.model.probe import Alarm, ListedMember, Status
from tests.contract.etcd.worlds import DEADLINE_MS, ONE, PATIENCE_MS, THREE, TWO, World
from tests.support.waiting import eventually

SLACK_MS = 3_000
NOBODY = MemberId("abc")


@dataclass(frozen=True, slots=True)
class Roles:
    """Who leads, who follows, and the id of each."""

    leader: MemberName
    followers: tuple[MemberName, MemberName]
    ids: Mapping[MemberName, MemberId]


async def statuses(world: World) -> dict[MemberName, Status]:
    """Of the members that answer."""
    sample = await world.reader.sample(world.cluster)
    return {
        MemberName(str(probe.expected)): probe.status
        for probe in sample.probes
        if isinstance(probe.status, Status)
    }


async def roles(world: World) -> Roles:
    """Of a healthy cluster, as soon as it is one: an election may be under way."""
    found: dict[MemberName, Status] = {}

    async def led() -> bool:
        found.clear()
        found.update(await statuses(world))
        leaders = {status.leader for status in found.values()}
        return (
            len(found) == len(world.cluster.endpoints) and len(leaders) == 1 and None not in leaders
        )

    await eventually(led, 30, "all members answer, and have one leader")
    ids = {name: status.member_id for name, status in found.items()}
    leader = next(name for name, status in found.items() if status.leader == status.member_id)
    first, second = (name for name in found if name != leader)
    return Roles(leader, (first, second), ids)


async def rows(world: World, member: MemberName) -> dict[MemberId, ListedMember]:
    """The member list, as one of them knows it."""
    sample = await world.reader.sample(world.cluster)
    listed = next(probe.members for probe in sample.probes if probe.expected == member)
    assert isinstance(listed, tuple), listed
    return {row.id: row for row in listed}


def url(world: World, member: MemberName) -> str:
    return world.cluster.endpoints[member]


async def saved(world: World, member: MemberName) -> bytes:
    """Take a snapshot."""
    return b"".join(
        [chunk async for chunk in world.actor.snapshot(world.cluster, url(world, member))]
    )


def is_whole(snapshot: bytes) -> bool:
    return len(snapshot) % 512 == 32 and hashlib.sha256(snapshot[:-32]).digest() == snapshot[-32:]


async def each_call_fails(
    world: World, member: MemberName, *, but: Sequence[str] = ()
) -> dict[str, QuorumbotError]:
    """Make every call to a member: all fail, `but` some, and none takes long. The errors."""
    actor, cluster, endpoint = world.actor, world.cluster, url(world, member)
    began = time.monotonic()
    errors = await asyncio.gather(
        actor.remove_member(cluster, endpoint, NOBODY),
        actor.update_peer_urls(cluster, endpoint, NOBODY, ["https://127.0.0.1:1"]),
        actor.move_leader(cluster, endpoint, NOBODY),
        actor.add_member(cluster, endpoint, ["https://127.0.0.1:1"], learner=True),
        actor.promote_member(cluster, endpoint, NOBODY),
        actor.compact(cluster, endpoint, 1, limit_ms=PATIENCE_MS),
        actor.defragment(cluster, endpoint, limit_ms=PATIENCE_MS),
        actor.disarm(cluster, endpoint, Alarm(NOBODY, "NOSPACE")),
        saved(world, member),
        actor.write_and_read(cluster, endpoint, "value"),
        return_exceptions=True,
    )
    assert (time.monotonic() - began) * 1000 < DEADLINE_MS + SLACK_MS
    members = ("remove", "update", "move", "add", "promote")
    names = (*members, "compact", "defragment", "disarm", "snapshot", "write")
    found = dict(zip(names, errors, strict=True))
    failed = {name: error for name, error in found.items() if isinstance(error, QuorumbotError)}
    assert failed.keys() == found.keys() - set(but), found
    return failed


async def test_the_dead_one_of_three_is_removed(private_world: World) -> None:
    """The others are left, and a second removal finds nobody."""
    world, who = private_world, await roles(private_world)
    dead, alive = who.followers
    await world.kill(dead)
    await world.missed(dead)
    await world.actor.remove_member(world.cluster, url(world, alive), who.ids[dead])
    assert set(await rows(world, alive)) == {who.ids[alive], who.ids[who.leader]}
    with pytest.raises(Permanent, match="member not found"):
        await world.actor.remove_member(world.cluster, url(world, alive), who.ids[dead])


async def test_a_member_that_quorum_needs_is_not_removed(private_world: World) -> None:
    """With one down, etcd refuses to take out one that works, and nobody is gone."""
    world, who = private_world, await roles(private_world)
    dead, alive = who.followers
    await world.kill(dead)
    await world.missed(dead)
    with pytest.raises(Permanent, match=r"demo-\d at https.* refused .*: unhealthy cluster\. "):
        await world.actor.remove_member(world.cluster, url(world, who.leader), who.ids[alive])
    assert set(await rows(world, alive)) == set(who.ids.values())


async def test_too_few_started(private_world: World) -> None:
    """With one that never started, etcd keeps those that did."""
    world, who = private_world, await roles(private_world)
    await world.replace_by_unstarted(THREE)
    with pytest.raises(Permanent, match="not enough started members"):
        await world.actor.remove_member(world.cluster, url(world, ONE), who.ids[TWO])


async def test_a_removal_without_quorum_happens_later(private_world: World) -> None:
    """It is in doubt, nobody is gone yet, and it is carried out when quorum returns."""
    world, who = private_world, await roles(private_world)
    dead, frozen = who.followers
    await world.kill(dead)
    await world.missed(dead)
    await world.freeze(frozen)
    began = time.monotonic()
    with pytest.raises(InDoubt, match="happen later"):
        await world.actor.remove_member(world.cluster, url(world, who.leader), who.ids[dead])
    assert (time.monotonic() - began) * 1000 < DEADLINE_MS + PATIENCE_MS + SLACK_MS
    assert set(await rows(world, who.leader)) == set(who.ids.values())
    await world.thaw(frozen)

    async def gone() -> bool:
        return who.ids[dead] not in await rows(world, who.leader)

    await eventually(gone, 20, "the removal is carried out")


async def test_new_peer_urls(private_world: World) -> None:
    """They replace the old ones, and nothing else changes."""
    world, who = private_world, await roles(private_world)
    member = who.followers[0]
    before = await rows(world, who.leader)
    wanted = (world.peer_url(member), "https://127.0.0.1:1")
    await world.actor.update_peer_urls(
        world.cluster, url(world, who.leader), who.ids[member], wanted
    )
    after = await rows(world, who.leader)
    assert set(after[who.ids[member]].peer_urls) == set(wanted)
    before.pop(who.ids[member])
    changed = after.pop(who.ids[member])
    assert changed.name == member
    assert after == before


async def test_peer_urls_that_are_refused(world: World) -> None:
    """Those of another member, those of nobody, and such as would kill the cluster."""
    who = await roles(world)
    member, other = who.followers
    before = await rows(world, who.leader)
    endpoint = url(world, who.leader)

    async def update(member_id: MemberId, *peer_urls: str) -> None:
        await world.actor.update_peer_urls(world.cluster, endpoint, member_id, peer_urls)

    with pytest.raises(Permanent, match="Peer URLs already exists"):
        await update(who.ids[member], world.peer_url(other))
    with pytest.raises(Permanent, match="member not found"):
        await update(NOBODY, "https://127.0.0.1:1")
    for bad in ("", "127.0.0.1:2380", "https://127.0.0.1", "https://host:2380/path", "etcd"):
        with pytest.raises(Permanent, match="was not sent"):
            await update(who.ids[member], bad)
    with pytest.raises(Permanent, match="was not sent"):
        await update(who.ids[member])
    assert await rows(world, who.leader) == before


async def test_leadership_moves(world: World) -> None:
    """The one that is named leads when the call returns, and doing it twice is no error."""
    who = await roles(world)
    heir = who.followers[1]
    await world.actor.move_leader(world.cluster, url(world, who.leader), who.ids[heir])

    async def agreed() -> bool:
        return {status.leader for status in (await statuses(world)).values()} == {who.ids[heir]}

    await eventually(agreed, 5, "all know the new leader")
    await world.actor.move_leader(world.cluster, url(world, heir), who.ids[heir])


async def test_leadership_that_does_not_move(world: World) -> None:
    """Only the leader can give it, and only to a member."""
    who = await roles(world)
    first, second = who.followers
    with pytest.raises(Permanent, match="not leader"):
        await world.actor.move_leader(world.cluster, url(world, first), who.ids[second])
    with pytest.raises(Permanent, match="bad leader transferee"):
        await world.actor.move_leader(world.cluster, url(world, who.leader), NOBODY)
    assert (await roles(world)).leader == who.leader


async def test_snapshot(world: World) -> None:
    """Each member gives one that is whole: its size and its SHA-256 are right."""
    for member in world.cluster.endpoints:
        assert is_whole(await saved(world, member))


async def test_snapshot_without_quorum(world: World) -> None:
    """The survivor of three still gives one."""
    who = await roles(world)
    for member in who.followers:
        await world.kill(member)
    assert is_whole(await saved(world, who.leader))


async def test_learner(private_world: World) -> None:
    """A learner takes no call; from 3.5 on it gives a snapshot, and a whole one."""
    world = private_world
    await world.replace_by_learner(THREE)
    gives = {"3.4": [], "3.5": ["snapshot"]}[world.minor]
    for error in (await each_call_fails(world, THREE, but=gives)).values():
        assert isinstance(error, Permanent), error
        assert "not supported for learner" in str(error)
    if gives:
        assert is_whole(await saved(world, THREE))


async def test_canary(world: World) -> None:
    """A write and a deletion, through any member, and the value may be anything."""
    before = max(status.revision for status in (await statuses(world)).values())
    for member in world.cluster.endpoints:
        await world.actor.write_and_read(world.cluster, url(world, member), f"é{member}\0")

    async def deleted() -> bool:
        now = {status.revision for status in (await statuses(world)).values()}
        return now == {before + 2 * len(world.cluster.endpoints)}

    await eventually(deleted, 5, "all members know of the writes and deletions")


async def test_canary_without_quorum(world: World) -> None:
    """Nobody knows whether the write will come through."""
    who = await roles(world)
    for member in who.followers:
        await world.kill(member)
    began = time.monotonic()
    with pytest.raises(InDoubt, match=f"{who.leader} .*canary key"):
        await world.actor.write_and_read(world.cluster, url(world, who.leader), "value")
    assert (time.monotonic() - began) * 1000 < DEADLINE_MS + PATIENCE_MS + SLACK_MS


async def test_canary_without_space(private_world: World) -> None:
    """That etcd has no space left is its answer, and a lasting one."""
    await private_world.fill()
    with pytest.raises(Permanent, match="database space exceeded"):
        await private_world.actor.write_and_read(
            private_world.cluster, url(private_world, TWO), "value"
        )


@pytest.mark.parametrize("how", ["stop", "freeze", "distrust", "lose key"])
async def test_what_cannot_be_sent_can_be_tried_again(world: World, how: str) -> None:
    """With no way to the member, no call is sent, and each says so within one deadline."""
    match how:
        case "stop":
            await world.kill(ONE)
        case "freeze":
            await world.freeze(ONE)
        case "distrust":
            await world.sign_by_another_ca(ONE)
        case _:
            await world.lose_key()
    for error in (await each_call_fails(world, ONE)).values():
        assert isinstance(error, Retryable), error
        assert "was not sent" in str(error)
