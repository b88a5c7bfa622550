"""The verdict on clusters in every state that matters, and who is blamed for it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.ids import MemberId, MemberName
from procedures.model.inventory import Cluster, Inventory
from procedures.model.probe import Fault, FaultKind, Sample, Status
from procedures.model.report import Level, Verdict
from tests.support.health import DEMO, figure, final, member, reports
from tests.support.sight import a_sight

TRUST = Fault(FaultKind.TRUST, "the certificate is for another name")


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
