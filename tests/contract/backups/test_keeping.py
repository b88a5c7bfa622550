"""What is stored stays what it is, or is found out; and goes when it is expendable."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.snapshot import Retention, Snapshot
from tests.contract.backups.values import a_cluster, an_origin, flipped, stream
from tests.contract.backups.worlds import World, save

DAY_MS = 24 * 3600 * 1000

SPOILED: dict[str, tuple[Callable[[World, bytes], bytes | None], str]] = {
    "missing": (lambda _, __: None, "is not there any more"),
    "empty": (lambda _, __: b"", "is cut off: 0 of"),
    "one byte short": (lambda _, data: data[:-1], "is cut off"),
    "half": (lambda _, data: data[: len(data) // 2], "is cut off"),
    "flipped at the beginning": (lambda _, data: flipped(data, 0), "is damaged"),
    "flipped in the middle": (lambda _, data: flipped(data, len(data) // 2), "is damaged"),
    "flipped at the end": (lambda _, data: flipped(data, len(data) - 1), "is damaged"),
    "grown": (lambda _, data: data + b"\0", "has grown"),
    "replaced": (lambda world, _: world.samples.five.data, "is another whole snapshot"),
}


@pytest.mark.parametrize("how", SPOILED)
async def test_what_is_spoiled_is_found_out(world: World, how: str) -> None:
    """Verification reads all of it again, and says what is wrong."""
    spoil, said = SPOILED[how]
    snapshot, other = await save(world), await save(world, a_cluster("other"))
    world.put(snapshot, spoil(world, world.bytes_of(snapshot)))
    found = await world.backups.verify(snapshot)
    assert found is not None
    assert found.startswith(said)
    assert await world.backups.verify(other) is None


async def test_what_was_stored_can_be_read(world: World) -> None:
    """All of it, byte for byte; and whoever stops in the middle leaves nothing open."""
    snapshot, other = await save(world), await save(world, a_cluster("other"))
    read = [block async for block in world.backups.read(snapshot)]
    assert b"".join(read) == world.bytes_of(snapshot)
    unfinished = world.backups.read(other)
    assert world.bytes_of(other).startswith(await anext(unfinished))
    await unfinished.aclose()


@pytest.mark.parametrize("how", ["missing", "half", "grown"])
async def test_what_is_not_as_long_as_it_was_is_not_read_as_whole(world: World, how: str) -> None:
    """Whoever reads it to the end is told."""
    snapshot, other = await save(world), await save(world, a_cluster("other"))
    world.put(snapshot, SPOILED[how][0](world, world.bytes_of(snapshot)))
    with pytest.raises(Permanent, match=r"Choose another snapshot"):
        _ = [block async for block in world.backups.read(snapshot)]
    assert [block async for block in world.backups.read(other)]


async def test_the_newest_comes_first(world: World) -> None:
    """In whatever order they were stored."""
    saved = []
    for offset in (2, 0, 3, 1):
        world.clock.ms += offset * DAY_MS
        saved.append(await save(world))
        world.clock.ms -= offset * DAY_MS
    listed = await world.backups.listing(world.cluster.name)
    assert list(listed) == sorted(saved, key=lambda each: each.taken_at_ms, reverse=True)
    assert len(listed) == 4


async def test_nothing_is_listed_where_nothing_was_saved(world: World) -> None:
    """An empty answer and no error; nothing to rotate either."""
    assert await world.backups.listing(ClusterName("none")) == ()
    assert await world.backups.rotate(a_cluster("none"), Retention()) == ()


async def daily(world: World, days: int, *, quorum: bool = True) -> list[Snapshot]:
    """Save one a day; afterwards it is the moment of the last one."""
    saved = [await save(world, quorum=quorum)]
    for _ in range(days - 1):
        world.clock.ms += DAY_MS
        saved.append(await save(world, quorum=quorum))
    return saved


async def test_rotation_deletes_what_is_expendable(world: World) -> None:
    """The oldest first, of this cluster only, and says what it deleted."""
    saved = await daily(world, 6)
    other = await save(world, a_cluster("other"))
    deleted = await world.backups.rotate(world.cluster, Retention(days=2, distinct_days=2))
    assert list(deleted) == saved[:3]
    assert list(await world.backups.listing(world.cluster.name)) == saved[:2:-1]
    assert await world.backups.listing(other.cluster) == (other,)
    assert await world.backups.rotate(world.cluster, Retention(days=2, distinct_days=2)) == ()
    assert len(world.everything()) == 2 * 4


async def test_many_backups_at_once_push_no_good_one_out(world: World) -> None:
    """Somebody who takes one backup after the other cannot make the others disappear."""
    saved = await daily(world, 3)
    world.clock.ms += 40 * DAY_MS
    for _ in range(5):
        world.clock.ms += 2_000
        await save(world)
        assert await world.backups.rotate(world.cluster, Retention(30, 4)) == ()
    assert set(saved) <= set(await world.backups.listing(world.cluster.name))


async def test_backups_without_quorum_push_no_good_one_out(world: World) -> None:
    """However many days the quorum is lost."""
    saved = await daily(world, 2)
    world.clock.ms += DAY_MS
    await daily(world, 5, quorum=False)
    await world.backups.rotate(world.cluster, Retention(days=1, distinct_days=2))
    assert set(saved) <= set(await world.backups.listing(world.cluster.name))


async def test_a_spoiled_one_does_not_stand_for_its_day(world: World) -> None:
    """Of two on one day the later is cut off: the earlier one is kept, and nothing is lost."""
    good = await save(world)
    world.clock.ms += 60_000
    bad = await save(world)
    world.put(bad, world.bytes_of(bad)[:-100])
    world.clock.ms += 90 * DAY_MS
    assert await world.backups.rotate(world.cluster, Retention(1, 1)) == ()
    assert await world.backups.verify(good) is None


async def test_what_vanished_meanwhile_does_no_harm(world: World) -> None:
    """Somebody deleted the data of one: it is not listed, and the rest is rotated."""
    saved = await daily(world, 4)
    world.put(saved[1], None)
    assert saved[1] not in await world.backups.listing(world.cluster.name)
    deleted = await world.backups.rotate(world.cluster, Retention(days=1, distinct_days=1))
    assert list(deleted) == [saved[0]]


WRONG = ["", ".", "..", "../prod", "a/b", "/etc", "a\0b", "A", "a b", "a" * 64, "prod\n", "-x", "ä"]


async def test_a_wrong_cluster_name_leads_nowhere(world: World) -> None:
    """No call goes by a name that could lead out of the place."""
    snapshot = await save(world)
    for name in WRONG:
        cluster = a_cluster(name)
        for attempt in (
            partial(world.backups.save, cluster, an_origin(1), stream(b"")),
            partial(world.backups.listing, cluster.name),
            partial(world.backups.rotate, cluster, Retention()),
            partial(world.backups.verify, replace(snapshot, cluster=cluster.name)),
        ):
            with pytest.raises(Permanent, match="no name of a cluster"):
                await attempt()


async def test_a_wrong_snapshot_name_leads_nowhere(world: World) -> None:
    """Only names of the cluster's own snapshots are looked at."""
    snapshot = await save(world)
    for name in ("", "x", "../prod/{}", "/etc/passwd", "{}.json", "test{}", "{}\n", "prod/{}"):
        with pytest.raises(Permanent, match="no name of a snapshot"):
            await world.backups.verify(replace(snapshot, name=name.format(snapshot.name)))
        with pytest.raises(Permanent, match="no name of a snapshot"):
            await anext(world.backups.read(replace(snapshot, name=name.format(snapshot.name))))
