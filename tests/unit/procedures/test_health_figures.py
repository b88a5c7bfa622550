"""The figures of etcd itself: from where on each is a warning, or critical."""

from dataclasses import replace

import pytest

from bot.targets.etcd.model import certificate, quick
from procedures.model.ids import MemberName
from procedures.model.inventory import Inventory
from procedures.model.report import Level, Verdict
from tests.support.health import DEMO, figure, final, member
from tests.support.sight import a_sight
from tests.support.theatre import a_theatre


async def test_an_alarm_is_critical() -> None:
    """A member with an alarm serves, and is not healthy."""
    sight = a_sight()
    sight.demo.raise_alarm(MemberName("demo-2"))
    report = await final(sight)
    assert report.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    assert figure(report, "alarm", "demo-2").level is Level.CRITICAL


async def test_different_data_is_critical() -> None:
    """Equal revision and compaction, unequal hash: R16."""
    sight = a_sight()
    member(sight, 2).hash = 0xBAD
    report = await final(sight)
    assert figure(report, "HashKV").level is Level.CRITICAL
    assert report.verdict is Verdict.DEGRADED


async def test_a_big_key_space_is_not_hashed() -> None:
    """Above the configured size it is said, and spoils nothing."""
    sight = a_sight()
    cluster = sight.inventory.clusters[DEMO]
    sight.inventory = Inventory({DEMO: replace(cluster, hash_up_to_bytes=1_000)})
    report = await final(sight)
    assert figure(report, "HashKV").level is Level.UNKNOWN
    assert report.verdict is Verdict.HEALTHY


async def test_a_learner_does_not_hide_different_data() -> None:
    """Learners refuse to hash; the voters are compared all the same."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2999", learner=True)
    member(sight, 2).hash = 0xBAD
    report = await final(sight)
    assert figure(report, "HashKV").level is Level.CRITICAL


@pytest.mark.parametrize(
    ("days", "level", "verdict"),
    [
        (31, Level.OK, Verdict.HEALTHY),
        (29, Level.WARN, Verdict.DEGRADED),
        (-1, Level.CRITICAL, Verdict.DEGRADED),
    ],
)
async def test_certificate_days(days: int, level: Level, verdict: Verdict) -> None:
    """A leaf warns below 30 days; what has expired is critical."""
    sight = a_sight()
    member(sight, 1).peer_certificate = certificate("demo-1", sight.clock.ms // 1000, days=days)
    report = await final(sight)
    assert figure(report, "peer port certificate", "demo-1").level is level
    assert report.verdict is verdict


async def test_version_skew_warns() -> None:
    """Members of two minors: an upgrade that was not finished."""
    sight = a_sight()
    member(sight, 2).version = "3.5.30"
    report = await final(sight)
    assert figure(report, "version").level is Level.WARN


@pytest.mark.parametrize(
    ("size", "level"),
    [(1_500, Level.OK), (1_600, Level.WARN), (2_000, Level.CRITICAL)],
)
async def test_quota(size: int, level: Level) -> None:
    """75 % of the quota warns, 95 % is critical; the default is 2 GiB."""
    sight = a_sight()
    member(sight, 1).db_size = member(sight, 1).db_size_in_use = size * 1024**2
    report = await final(sight)
    assert figure(report, "quota", "demo-1").level is level


@pytest.mark.parametrize(("size_mib", "level"), [(99, Level.OK), (100, Level.WARN)])
async def test_fragmentation(size_mib: int, level: Level) -> None:
    """45 % free warns from 100 MiB on."""
    sight = a_sight()
    member(sight, 1).db_size = size_mib * 1024**2
    member(sight, 1).db_size_in_use = size_mib * 1024**2 * 55 // 100
    report = await final(sight)
    assert figure(report, "fragmentation", "demo-1").level is level


async def test_raft_lag() -> None:
    """More than 5,000 entries behind warns."""
    sight = a_sight()
    sight.demo.raft_index = 100_000
    member(sight, 2).raft_behind = 5_001
    report = await final(sight)
    assert figure(report, "raft lag", "demo-2").level is Level.WARN


async def test_p99_comes_from_what_happened_between_two_scrapes() -> None:
    """Observations from before do not count; the bucket's bounds are said."""
    sight = a_sight()
    each = member(sight, 1)
    each.metrics = replace(each.metrics, wal_fsync=quick(1_000))

    def slow_disk() -> None:
        before = each.metrics.wal_fsync
        assert before is not None
        slower = tuple(
            (bound, count + (100 if bound is None else 0)) for bound, count in before.buckets
        )
        each.metrics = replace(each.metrics, wal_fsync=replace(before, buckets=slower))

    sight.clock.on_sleep = slow_disk
    report = await final(sight)
    shown = figure(report, "fsync p99", "demo-1")
    assert shown.level is Level.WARN
    assert "100 samples" in shown.text


async def test_the_second_sample_is_one_gap_later() -> None:
    """What moves is told from what stands after `sample_gap_ms`, once."""
    sight = a_sight()
    await final(sight)
    assert sight.clock.slept_ms == [5_000]


async def test_the_age_of_the_newest_backup() -> None:
    """Older than a day is a warning; none is nothing that anybody could judge."""
    theatre = a_theatre("etcd backup", {})
    sight = theatre.sight
    assert figure(await final(sight), "backup").text == "there is none that was taken with quorum"
    await theatre.approved()
    await theatre.work()
    found = figure(await final(sight), "backup")
    assert (found.level, found.text) == (Level.OK, "the newest is 0 h old")
    sight.clock.ms += 25 * 3_600_000
    report = await final(sight)
    assert figure(report, "backup").level is Level.WARN
    assert "the newest is 25 h old" in figure(report, "backup").text
    assert report.verdict is Verdict.HEALTHY


async def test_a_site_without_a_place_for_backups() -> None:
    """It is said."""
    sight = a_sight()
    sight.inventory = Inventory(sight.inventory.clusters)
    found = figure(await final(sight), "backup")
    assert (found.level, found.text) == (Level.UNKNOWN, "no place for backups is configured")
