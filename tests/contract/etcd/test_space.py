"""What compaction, defragmentation and the taking back of an alarm do to a real data file."""

import pytest

from procedures.model.errors import InDoubt, Permanent
from procedures.model.probe import Alarm
from tests.contract.etcd.test_act import roles, statuses, url
from tests.contract.etcd.worlds import ONE, TWO, World
from tests.support.waiting import eventually

LIMIT_MS = 10_000


async def revision(world: World) -> int:
    return max(status.revision for status in (await statuses(world)).values())


async def alarms(world: World) -> set[Alarm]:
    sample = await world.reader.sample(world.cluster)
    told = next(probe.alarms for probe in sample.probes if probe.expected == TWO)
    assert isinstance(told, tuple), told
    return set(told)


async def test_compaction_and_defragmentation_give_space_back(world: World) -> None:
    """Old versions go on all members; the file of the one that is defragmented shrinks.

    That pages are free shows with the next write only.
    """
    await world.overwrite()
    await world.actor.compact(
        world.cluster, url(world, ONE), await revision(world), limit_ms=LIMIT_MS
    )

    async def dropped() -> bool:
        await world.actor.write_and_read(world.cluster, url(world, ONE), "value")
        found = await statuses(world)
        return all(status.db_size_in_use * 2 < status.db_size for status in found.values())

    await eventually(dropped, 10, "the old versions are gone on all members")
    before = await statuses(world)
    await world.actor.defragment(world.cluster, url(world, ONE), limit_ms=LIMIT_MS)
    after = await statuses(world)
    assert after[ONE].db_size * 2 < before[ONE].db_size
    assert after[TWO].db_size == before[TWO].db_size
    assert after[ONE].revision == before[ONE].revision


async def test_compacting_again_is_no_error(world: World) -> None:
    """What is dropped already is dropped; what is not written yet cannot be."""
    await world.overwrite()
    now = await revision(world)
    for at in (now, now, now - 1):
        await world.actor.compact(world.cluster, url(world, ONE), at, limit_ms=LIMIT_MS)
    with pytest.raises(Permanent, match="is a future revision"):
        await world.actor.compact(world.cluster, url(world, ONE), now + 1000, limit_ms=LIMIT_MS)


async def test_compaction_without_quorum_is_in_doubt(world: World) -> None:
    """It waits in the log."""
    who = await roles(world)
    now = await revision(world)
    for member in who.followers:
        await world.kill(member)
    with pytest.raises(InDoubt, match="happen later"):
        await world.actor.compact(world.cluster, url(world, who.leader), now, limit_ms=1_000)


async def test_defragmentation_without_quorum(world: World) -> None:
    """It is a member's own affair; without free pages it changes nothing, also a second time."""
    who = await roles(world)
    for member in who.followers:
        await world.kill(member)
    for _ in range(2):
        await world.actor.defragment(world.cluster, url(world, who.leader), limit_ms=LIMIT_MS)
    status = (await statuses(world))[who.leader]
    assert status.db_size - status.db_size_in_use < 64 * 1024


async def test_an_alarm_is_taken_back(private_world: World) -> None:
    """Writes are refused before, and taken afterwards; doing it twice is no error."""
    world = private_world
    await world.fill()
    (alarm,) = await alarms(world)
    with pytest.raises(Permanent, match="database space exceeded"):
        await world.actor.write_and_read(world.cluster, url(world, TWO), "value")
    for _ in range(2):
        await world.actor.disarm(world.cluster, url(world, TWO), alarm)
    assert await alarms(world) == set()
    await world.actor.write_and_read(world.cluster, url(world, TWO), "value")
