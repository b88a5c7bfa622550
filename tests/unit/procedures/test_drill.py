"""Drills in memory: what they say, what they refuse, and what is remembered of them."""

from dataclasses import replace

import pytest

from bot.words import drill_line
from procedures.etcd.backups import Args, ask
from procedures.model.drill import Tried, comparable, differences, restore_argv, serve_argv, token
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, MemberId, RunId
from procedures.model.probe import HashKv
from procedures.model.run import State
from procedures.model.snapshot import Origin, Snapshot
from tests.support.lost_cluster import lose
from tests.support.theatre import Theatre, a_theatre

DEMO = ClusterName("demo")
ORIGIN = Origin(MemberId("1"), "demo-1", "3.4.23", 90, quorum=True, hash_kv=HashKv(90, -1, 7))
SNAPSHOT = Snapshot(DEMO, "a.db", 0, 4128, "ab", "cd", 90, 40, ORIGIN)
TRIED = Tried("cd", 90, 40, 90, 90, 33, HashKv(90, -1, 7), "3.4.23")


def test_what_is_as_recorded() -> None:
    """More revisions are no fault: leases run out meanwhile."""
    assert differences(SNAPSHOT, TRIED) == ()
    assert differences(SNAPSHOT, replace(TRIED, served=95)) == ()
    assert comparable(SNAPSHOT, TRIED)


@pytest.mark.parametrize(
    ("tried", "said"),
    [
        (replace(TRIED, hash="ce"), "the tool reads the hash ce, and the record says cd"),
        (replace(TRIED, total_keys=39), "the number of keys 39, and the record says 40"),
        (replace(TRIED, revision=89), "the revision 89, and the record says 90"),
        (replace(TRIED, served=89), "etcd came up with revision 89, and not 90"),
        (
            replace(TRIED, hash_kv=HashKv(90, -1, 8)),
            "the HashKV at revision 90 is 00000008, and demo-1 had 00000007",
        ),
    ],
)
def test_what_differs_is_said(tried: Tried, said: str) -> None:
    """With both figures."""
    (found,) = differences(SNAPSHOT, tried)
    assert found.endswith(said)


def test_a_compaction_in_between() -> None:
    """Then hashes are over something else, and say nothing."""
    tried = replace(TRIED, hash_kv=HashKv(90, 50, 8))
    assert not comparable(SNAPSHOT, tried)
    assert differences(SNAPSHOT, tried) == ()


def test_nobody_else_can_read_what_is_tried() -> None:
    """No port is opened; the hash is checked (X10); the token is no cluster's (X11)."""
    restore = restore_argv("etcdctl", token(RunId("r-1")))
    words = (*restore, *serve_argv("etcd"))
    assert not any("://" in word and "=unix://" not in word for word in words)
    assert not any("skip-hash-check" in word for word in words)
    assert "--initial-cluster-token=quorumbot-drill-r-1" in restore


async def drilled(spoil: bool = False) -> Theatre:
    theatre = a_theatre("etcd drill", {})
    lose(theatre)
    await theatre.approved()
    if spoil:
        ((name, (snapshot, data)),) = theatre.backups.stored.items()
        theatre.backups.stored[name] = snapshot, data[:-1]
    await theatre.work()
    return theatre


async def last_line(theatre: Theatre) -> str:
    (report,) = [answer async for answer in ask(Args(DEMO), theatre.sight)]
    return drill_line(report)


async def test_a_drill_is_remembered() -> None:
    """Whoever lists backups sees when the last one was."""
    theatre = await drilled()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.effects == []
    assert (await last_line(theatre)).endswith("restored and served, 40 keys")


async def test_a_drill_that_fails_is_remembered_too() -> None:
    """It is the one that people have to know of."""
    theatre = await drilled(spoil=True)
    assert theatre.run.state is State.FAILED
    assert "is cut off" in (theatre.run.error or "")
    assert "failed: " in await last_line(theatre)


async def test_without_a_drill() -> None:
    """It is said how to have one."""
    theatre = a_theatre("etcd drill", {})
    lose(theatre)
    assert "/etcd drill" in await last_line(theatre)


async def test_where_etcd_is_missing() -> None:
    """It is refused before anybody is asked."""
    theatre = a_theatre("etcd drill", {})
    lose(theatre)
    theatre.backups.minors = frozenset({"3.6"})
    with pytest.raises(Refused, match=r"no etcd 3\.4"):
        await theatre.approved()


async def test_a_snapshot_that_is_not_kept_any_more() -> None:
    """What was approved is what is tried, or nothing is."""
    theatre = a_theatre("etcd drill", {})
    lose(theatre)
    await theatre.approved()
    theatre.backups.stored.clear()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is not kept any more" in (theatre.run.error or "")
