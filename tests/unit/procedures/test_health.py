"""Verdicts, the safe-now line and the figures, for clusters in every state that matters."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition, FakeMember, certificate, quick
from procedures.etcd import health
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Cluster, Inventory
from procedures.model.probe import Fault, FaultKind, Sample, Status
from procedures.model.report import Advice, Figure, HealthReport, Level, Verdict
from tests.support.sight import FakeSight, a_sight

TRUST = Fault(FaultKind.TRUST, "the certificate is for another name")
DEMO = ClusterName("demo")


async def reports(sight: FakeSight) -> tuple[HealthReport, HealthReport]:
    first, last = [report async for report in health.ask(health.Args(DEMO), sight)]
    return first, last


async def final(sight: FakeSight) -> HealthReport:
    return (await reports(sight))[1]


def member(sight: FakeSight, number: int) -> FakeMember:
    return sight.demo.members[MemberName(f"demo-{number}")]


def figure(report: HealthReport, name: str, of: str | None = None) -> Figure:
    found = [f for f in report.figures if f.name == name and of in {None, f.member}]
    assert found, f"no figure {name} among {sorted({f.name for f in report.figures})}"
    return found[0]


def advice(report: HealthReport, change: str) -> Advice:
    return next(each for each in report.advice if each.change == change)


async def test_a_fresh_idle_cluster_is_healthy() -> None:
    """Figures without samples, hosts or history are unknown and spoil nothing."""
    first, last = await reports(a_sight())
    assert first.headline == "demo: checking, 3 of 3 members healthy so far"
    assert (first.verdict, first.samples) == (Verdict.CHECKING, 1)
    assert last.headline == "demo: healthy, 3 of 3 members"
    assert (last.members, last.voters, last.tolerance, last.samples) == (3, 3, 1, 2)
    assert figure(last, "fsync p99").level is Level.UNKNOWN
    assert not figure(last, "fsync p99").counts
    assert {row.role for row in last.rows} == {"leader", "voter"}


@pytest.mark.parametrize(
    ("size", "down", "headline"),
    [
        (1, 0, "demo: healthy, 1 of 1 members"),
        (3, 1, "demo: degraded, 2 of 3 members, tolerance 0"),
        (3, 2, "demo: no quorum, 1 of 3 members"),
        (3, 3, "demo: no quorum, 0 of 3 members"),
        (5, 1, "demo: degraded, 4 of 5 members, tolerance 1"),
        (5, 2, "demo: degraded, 3 of 5 members, tolerance 0"),
        (5, 3, "demo: no quorum, 2 of 5 members"),
        (4, 1, "demo: degraded, 3 of 4 members, tolerance 0"),
        (4, 2, "demo: no quorum, 2 of 4 members"),
    ],
)
@pytest.mark.parametrize("how", [Condition.STOPPED, Condition.FROZEN])
async def test_members_that_are_down(size: int, down: int, headline: str, how: Condition) -> None:
    """Stopped or hanging: what counts is how many of the voters serve."""
    sight = a_sight(size)
    for number in range(size, size - down, -1):
        member(sight, number).condition = how
    assert (await final(sight)).headline == headline


async def test_faults_on_our_side_are_never_no_quorum() -> None:
    """People restore on that word; certificates that do not fit say nothing about etcd."""
    sight = a_sight()
    for each in sight.demo.members.values():
        each.fault = TRUST
    report = await final(sight)
    assert report.headline == "demo: unknown, 0 of 3 members answered"
    assert figure(report, "member", "demo-1").text == TRUST.message


async def test_missing_files_are_never_no_quorum() -> None:
    """The same for files of our own that are not there."""
    sight = a_sight()
    sight.etcd.files_fault = Fault(FaultKind.FILES, "client.key is missing")
    assert (await final(sight)).headline == "demo: unknown, 0 of 3 members answered"


async def test_one_fault_on_our_side_is_enough_not_to_say_no_quorum() -> None:
    """Two are down; the third could be serving, alone or not: nobody here can tell."""
    sight = a_sight()
    member(sight, 1).condition = member(sight, 2).condition = Condition.STOPPED
    member(sight, 3).fault = TRUST
    assert (await final(sight)).verdict is Verdict.UNKNOWN


async def test_silence_from_everywhere_is_unknown() -> None:
    """When no member can be reached at all, it may be the network between here and there."""
    sight = a_sight()
    for each in sight.demo.members.values():
        each.condition = Condition.BLACKHOLED
    assert (await final(sight)).headline == "demo: unknown, 0 of 3 members answered"


async def test_one_linearizable_read_proves_quorum() -> None:
    """The bot reaches one member only, and that one serves: there is quorum."""
    sight = a_sight()
    member(sight, 1).condition = member(sight, 2).condition = Condition.BLACKHOLED
    report = await final(sight)
    assert report.headline == "demo: degraded, 1 of 3 members, tolerance 0"
    assert figure(report, "member", "demo-1").level is Level.UNKNOWN


async def test_the_others_tell_who_is_gone() -> None:
    """Nobody here reaches it, and the two others have lost it too: it is down."""
    sight = a_sight()
    member(sight, 3).condition = Condition.OFF
    report = await final(sight)
    assert report.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    found = figure(report, "member", "demo-3")
    assert found.level is Level.WARN
    assert "demo-1 and demo-2 neither hear from it nor reach it." in str(found)


async def test_the_others_tell_who_is_not_gone() -> None:
    """Only the way from here is broken: nobody knows from here how it is, and it is not dead."""
    sight = a_sight()
    member(sight, 3).condition = Condition.BLACKHOLED
    assert figure(await final(sight), "member", "demo-3").level is Level.UNKNOWN


async def test_one_witness_is_not_enough() -> None:
    """Of five, two are off and two cannot be reached: the last alone calls nobody down."""
    sight = a_sight(5)
    for number in (2, 3):
        member(sight, number).condition = Condition.BLACKHOLED
    for number in (4, 5):
        member(sight, number).condition = Condition.OFF
    report = await final(sight)
    levels = {figure(report, "member", f"demo-{number}").level for number in (2, 3, 4, 5)}
    assert levels == {Level.UNKNOWN}


async def test_an_alarm_is_critical() -> None:
    """A member with an alarm serves, and is not healthy."""
    sight = a_sight()
    sight.demo.raise_alarm(MemberName("demo-2"))
    report = await final(sight)
    assert report.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    assert figure(report, "alarm", "demo-2").level is Level.CRITICAL


async def test_safe_now_when_all_is_well() -> None:
    """One at a time, the leader last."""
    report = await final(a_sight())
    leader = next(row.name for row in report.rows if row.role == "leader")
    assert advice(report, "restart").text == (
        f"yes, one at a time; {leader} last, it leads (R9, R10)"
    )
    assert advice(report, "remove").text == (
        "yes, any one; it leaves 2 healthy of 2, quorum 2, tolerance 0 (R2)"
    )
    assert advice(report, "add").text == "yes, one (R3)"


async def test_safe_now_with_one_down() -> None:
    """Only the dead one may go or be started; nothing may be added before it is well."""
    sight = a_sight()
    member(sight, 3).condition = Condition.STOPPED
    report = await final(sight)
    assert advice(report, "restart").text == (
        "only demo-3; another would leave 1 healthy of 3, quorum 2 (R10)"
    )
    assert advice(report, "remove").text == (
        "only demo-3; another would leave 1 healthy of 2, quorum 2 (R2)"
    )
    assert advice(report, "add").text == "no, demo-3 must be healthy first (R3)"


async def test_safe_now_without_quorum() -> None:
    """Start what is down; change nothing."""
    sight = a_sight()
    member(sight, 2).condition = member(sight, 3).condition = Condition.STOPPED
    report = await final(sight)
    assert advice(report, "restart").text == (
        "only to bring demo-2 and demo-3 back with the data that is there"
    )
    assert not advice(report, "remove").allowed
    assert not advice(report, "add").allowed


async def test_a_learner_has_no_vote_and_blocks_changes() -> None:
    """It is listed, does not count, and one change is finished before the next."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2999", learner=True)
    report = await final(sight)
    assert report.headline == "demo: degraded, 3 of 3 members, tolerance 1"
    assert figure(report, "member list").text == "demo-4 is in it and not expected"
    assert next(row for row in report.rows if row.name == "demo-4").role == "learner"
    assert advice(report, "add").text == (
        "no, demo-4 is still a learner: finish that change first (R5)"
    )
    assert advice(report, "remove").text.startswith("only demo-4;")


async def test_a_member_that_never_started() -> None:
    """It has no name and no vote to give, and counts as a voter all the same."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2999", started=False)
    report = await final(sight)
    assert report.headline == "demo: degraded, 3 of 4 members, tolerance 0"
    assert any(row.role == "not started" for row in report.rows)
    assert not advice(report, "add").allowed


async def test_a_member_that_is_missing_from_the_list() -> None:
    """Somebody removed it: the list and the expectation differ."""
    sight = a_sight()
    del sight.demo.members[MemberName("demo-3")]
    report = await final(sight)
    assert report.voters == 2
    assert report.verdict is Verdict.DEGRADED
    assert figure(report, "member list").text == "demo-3 is expected and not in it"


async def test_a_member_found_by_the_list_is_asked_too() -> None:
    """The configuration names two of three; the third is found and judged by its own word."""
    sight = a_sight()
    cluster = sight.inventory.clusters[DEMO]
    fewer = {name: url for name, url in cluster.endpoints.items() if name != "demo-3"}
    sight.inventory = Inventory({DEMO: replace(cluster, endpoints=fewer)})
    report = await final(sight)
    assert {row.health for row in report.rows} == {"healthy"}
    assert figure(report, "member list").text == "demo-3 is in it and not expected"


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


async def test_a_learner_does_not_hide_different_data() -> None:
    """Learners refuse to hash; the voters are compared all the same."""
    sight = a_sight()
    sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2999", learner=True)
    member(sight, 2).hash = 0xBAD
    report = await final(sight)
    assert figure(report, "HashKV").level is Level.CRITICAL


async def test_nothing_is_safe_while_data_differs() -> None:
    """R16: a person decides; the rules about quorum say nothing about that."""
    sight = a_sight()
    member(sight, 2).hash = 0xBAD
    report = await final(sight)
    assert [each.allowed for each in report.advice] == [False, False, False]
    assert advice(report, "restart").text == "no, members do not have the same data (R16)"


async def test_nothing_is_safe_under_a_corrupt_alarm() -> None:
    """R16 again, also with tolerance to spare."""
    sight = a_sight(5)
    sight.demo.raise_alarm(MemberName("demo-5"), "CORRUPT")
    report = await final(sight)
    assert not any(each.allowed for each in report.advice)


async def test_an_election_between_two_samples_is_not_a_loss() -> None:
    """Quorum in the first sample and none in the second: a third one decides."""
    sight = a_sight()
    frozen = [member(sight, 2), member(sight, 3)]

    def election() -> None:
        for each in frozen:
            each.condition = Condition.FROZEN

    sight.clock.on_sleep = election
    sample, asked = sight.etcd.sample, 0

    async def sample_again(cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        nonlocal asked
        asked += 1
        if asked == 3:
            for each in frozen:
                each.condition = Condition.RUNNING
        return await sample(cluster, extra)

    sight.etcd.sample = sample_again  # type: ignore[method-assign]
    report = await final(sight)
    assert asked == 3
    assert report.verdict is Verdict.HEALTHY


async def test_what_another_cluster_says_is_no_word_about_this_one() -> None:
    """One address leads to a cluster of its own: it neither proves nor lists anything here."""
    sight = a_sight()
    sample = sight.etcd.sample

    async def one_is_elsewhere(cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        told = await sample(cluster, extra)
        stray = told.probes[0]
        assert isinstance(stray.status, Status)
        assert isinstance(stray.members, tuple)
        alone = replace(
            stray,
            status=replace(stray.status, cluster_id=MemberId("bad"), member_id=MemberId("1")),
            members=(replace(stray.members[0], id=MemberId("1")),),
        )
        return replace(told, probes=(alone, *told.probes[1:]))

    sight.etcd.sample = one_is_elsewhere  # type: ignore[method-assign]
    report = await final(sight)
    assert report.headline == "demo: degraded, 2 of 3 members, tolerance 0"
    assert figure(report, "cluster id").level is Level.CRITICAL
    assert not any(each.allowed for each in report.advice)
