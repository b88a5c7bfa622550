"""Which backups there are, and whether they are whole."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.targets.backups.memory import MemoryBackups, fake_snapshot
from procedures.etcd.backups import READ_AGAIN, Args, ask
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, MemberId
from procedures.model.report import BackupsReport
from procedures.model.snapshot import Origin
from tests.support.sight import FakeSight, a_sight

DEMO = ClusterName("demo")


async def report(sight: FakeSight) -> BackupsReport:
    (only,) = [answer async for answer in ask(Args(DEMO), sight)]
    return only


async def with_backups(count: int) -> tuple[FakeSight, MemoryBackups]:
    sight = a_sight()
    backups = MemoryBackups(sight.clock)
    sight.backups = backups
    cluster = sight.inventory.clusters[DEMO]
    for number in range(count):

        async def chunks(revision: int = number + 100) -> AsyncIterator[bytes]:
            yield fake_snapshot(revision)

        origin = Origin(MemberId("1"), "demo-1", "3.4.23", number + 100, quorum=True)
        await backups.save(cluster, origin, chunks())
        await sight.clock.sleep_ms(1_000)
    return sight, backups


async def test_there_is_none() -> None:
    """It is said in words, not shown as an empty table."""
    sight, _ = await with_backups(0)
    assert (await report(sight)).headline == "demo: no backups"


async def test_all_are_whole() -> None:
    """The newest first."""
    sight, _ = await with_backups(3)
    answer = await report(sight)
    assert answer.headline == "demo: 3 backups, 3 verified again"
    assert [row.revision for row in answer.rows] == [102, 101, 100]
    assert all(row.fault is None for row in answer.rows)


async def test_one_is_broken() -> None:
    """The headline says so, and the row says why."""
    sight, backups = await with_backups(2)
    name = next(iter(backups.stored))
    snapshot, data = backups.stored[name]
    backups.stored[name] = (replace(snapshot), data[:-1])
    answer = await report(sight)
    assert answer.headline == "demo: 2 backups, 1 of 2 broken"
    assert [row.name for row in answer.rows if row.fault] == [name]


async def test_many_are_counted() -> None:
    """Only the newest are read again, and the others are said."""
    sight, _ = await with_backups(READ_AGAIN + 2)
    answer = await report(sight)
    assert (len(answer.rows), answer.unread) == (READ_AGAIN, 2)


async def test_no_place_is_configured() -> None:
    """A refusal that says what to set."""
    with pytest.raises(Refused, match="Set `backups`"):
        await report(a_sight())
