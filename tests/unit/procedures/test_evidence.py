"""A member that nobody here reaches is down only where no other has heard of it for long enough."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from bot.targets.etcd.model import Condition
from procedures.engine.ports import Look
from procedures.etcd import evidence
from procedures.etcd.evidence import SILENCE_MS, Word, contested, heard_of, listen
from procedures.etcd.observe import observe
from procedures.etcd.view import Seen, View
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault, FaultKind, Histogram, Metrics
from procedures.model.quorum import Health
from tests.support.sight import FakeSight, a_sight

LEADER, FOLLOWER, SILENT = MemberId("a1"), MemberId("a2"), MemberId("a3")
Told = dict[MemberId, list[Metrics]]


def scrape(at_ms: int, *, live: bool, tries: int, **received: int) -> Metrics:
    """A page of a witness that speaks to the silent one, and hears so many bytes of others."""
    return Metrics(
        at_ms=at_ms,
        started_ms=-1_000,
        wal_fsync=None,
        backend_commit=None,
        peer_rtt={SILENT: Histogram(((None, tries),))},
        grpc_handling=None,
        grpc_handled=None,
        grpc_failed=None,
        leader_changes=1,
        proposals_failed=None,
        proposals_pending=None,
        quota=None,
        active_peers={SILENT: live},
        received={MemberId(peer): count for peer, count in received.items()},
        addressed={SILENT: at_ms},
    )


def silent(*times_ms: int, live: bool = False, every_ms: int = 30_000) -> Told:
    """What two witnesses told at these times, of whom one leads: the third says nothing.

    Its connections count as `live`, and `every_ms` somebody tried to reach it.
    """
    return {
        LEADER: [
            scrape(at_ms, live=live, tries=at_ms // every_ms, a2=at_ms, a3=500)
            for at_ms in times_ms
        ],
        FOLLOWER: [
            scrape(at_ms, live=live, tries=at_ms // every_ms, a1=at_ms) for at_ms in times_ms
        ],
    }


def later(told: Told, who: MemberId, **changes: object) -> Told:
    """The same, with the last page of one witness changed."""
    *before, last = told[who]
    return {**told, who: [*before, replace(last, **changes)]}  # type: ignore[arg-type]


LONG = silent(0, 4_000, SILENCE_MS)
END = SILENCE_MS
CASES: Mapping[str, tuple[Mapping[MemberId, Sequence[Metrics]], Word]] = {
    "nobody has heard it for long": (LONG, Word.LOST),
    "never given up, and tried in vain": (
        silent(0, 10_000, 20_000, live=True, every_ms=5_000),
        Word.LOST,
    ),
    "tried in vain for too short a time": (
        silent(0, 10_000, 19_000, live=True, every_ms=5_000),
        Word.OPEN,
    ),
    "tried as often in too long a time": (
        silent(0, 10_000, 20_000, 30_000, live=True, every_ms=7_500),
        Word.OPEN,
    ),
    "never given up, and reached": (
        silent(0, 10_000, 20_000, 25_000, live=True, every_ms=15_000),
        Word.OPEN,
    ),
    "silent for long, and never given up": (silent(0, 25_000, 55_000, live=True), Word.NOT_LOST),
    "given up by one only": (
        {**LONG, FOLLOWER: silent(0, 4_000, SILENCE_MS, live=True)[FOLLOWER]},
        Word.OPEN,
    ),
    "one long step": (silent(0, SILENCE_MS), Word.LOST),
    "not for long yet": (silent(0, SILENCE_MS - 1), Word.OPEN),
    "the first look": (silent(0), Word.OPEN),
    "the leader hears it": (
        later(silent(0, END - 1_000, END), LEADER, received={FOLLOWER: END, SILENT: 501}),
        Word.NOT_LOST,
    ),
    "only another hears it": (
        later(silent(0, END - 1_000, END), FOLLOWER, received={LEADER: END, SILENT: 1}),
        Word.NOT_LOST,
    ),
    "it was heard, perhaps long ago": (
        later(LONG, LEADER, received={FOLLOWER: END, SILENT: 501}),
        Word.OPEN,
    ),
    "a witness began anew": (later(LONG, FOLLOWER, started_ms=5_000), Word.OPEN),
    "another leads since": (later(LONG, FOLLOWER, leader_changes=2), Word.OPEN),
    "the leader has not spoken to it": (later(LONG, LEADER, addressed={SILENT: 0}), Word.NOT_LOST),
    "a witness hears nobody": (later(LONG, FOLLOWER, received={LEADER: 0}), Word.NOT_LOST),
    "a follower has not spoken to it": (
        later(LONG, FOLLOWER, addressed={SILENT: 0}),
        Word.LOST,
    ),
    "one does not tell of its connections": (later(LONG, FOLLOWER, active_peers={}), Word.OPEN),
    "one could not be asked, and one not for long": (
        {**silent(0, SILENCE_MS - 1), FOLLOWER: []},
        Word.NOT_LOST,
    ),
    "one could not be asked": ({**LONG, FOLLOWER: []}, Word.NOT_LOST),
    "one witness": ({LEADER: LONG[LEADER]}, Word.NOT_LOST),
    "the leader is no witness": (
        {FOLLOWER: LONG[FOLLOWER], MemberId("a4"): LONG[FOLLOWER]},
        Word.NOT_LOST,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_witnesses_tell(name: str) -> None:
    """Each must have gone on in the same process, under the same leader, hearing others."""
    told, word = CASES[name]
    assert heard_of(SILENT, LEADER, told) is word


async def test_a_member_without_power_is_down() -> None:
    """After the time in which it would have been heard; who looks again need not wait again."""
    sight = a_sight()
    set_to(sight, 3, Condition.OFF)
    assert await seen(sight, 3) is Health.DOWN
    assert sum(sight.clock.slept_ms) == SILENCE_MS
    assert await seen(sight, 3) is Health.DOWN
    assert sum(sight.clock.slept_ms) == SILENCE_MS


async def test_a_member_out_of_reach_is_not_down() -> None:
    """The first word that others hear from it ends the listening."""
    sight = a_sight()
    set_to(sight, 3, Condition.BLACKHOLED)
    assert await seen(sight, 3) is Health.UNKNOWN
    assert sum(sight.clock.slept_ms) == 1_000


async def test_a_member_that_comes_back_is_not_down() -> None:
    """Also when it does so at the very end."""
    sight = a_sight()
    set_to(sight, 3, Condition.OFF)
    at(sight, SILENCE_MS, lambda: set_to(sight, 3, Condition.BLACKHOLED))
    assert await seen(sight, 3) is Health.UNKNOWN


async def test_what_is_given_is_no_older_for_the_listening() -> None:
    """A member that stopped meanwhile is not called healthy."""
    sight = a_sight(5)
    set_to(sight, 3, Condition.OFF)
    at(sight, SILENCE_MS, lambda: set_to(sight, 4, Condition.STOPPED))
    assert await seen(sight, 4) is Health.DOWN


async def test_one_that_refuses_only_us() -> None:
    """Its peers are connected to it: nobody here can tell what it is like."""
    sight = a_sight()
    set_to(sight, 3, Condition.BARRED)
    view = await observe(sight.inventory.clusters[ClusterName("demo")], sight)
    three = next(each for each in view.seen if each.name == "demo-3")
    assert three.health is Health.UNKNOWN
    assert "But demo-1 and demo-2 are connected to it" in str(three.why)


async def test_one_that_has_just_ended() -> None:
    """Its peers notice a moment later than we do."""
    sight = a_sight()
    set_to(sight, 3, Condition.BARRED)
    at(sight, 1_000, lambda: set_to(sight, 3, Condition.STOPPED))
    assert await seen(sight, 3) is Health.DOWN


@pytest.mark.parametrize(
    ("condition", "judge", "judged"),
    [
        (Condition.OFF, evidence.testified, Health.DOWN),
        (Condition.BARRED, contested, Health.UNKNOWN),
    ],
)
async def test_nobody_else_is_judged(
    condition: Condition,
    judge: Callable[[Cluster, View, Look], View | Awaitable[View]],
    judged: Health,
) -> None:
    """Only whom we cannot reach, or who refuses us; and only where quorum is proven."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()
    set_to(sight, 3, condition)
    view = await observe(cluster, sight)
    before = Health.DOWN if judged is Health.UNKNOWN else Health.UNKNOWN

    async def becomes(view: View, **changes: object) -> Seen:
        (last,) = (replace(each, **changes) for each in view.seen if each.name == "demo-3")  # type: ignore[arg-type]
        given = judge(cluster, replace(view, seen=(*view.seen[:2], last)), sight)
        after = given if isinstance(given, View) else await given
        return next(each for each in after.seen if each.name == "demo-3")

    probe = view.seen[2].probe
    assert probe is not None
    ours = replace(probe, status=Fault(FaultKind.TRUST, "its certificate is not ours."))
    assert (await becomes(view, health=before)).health is judged
    assert (await becomes(view, health=Health.ALARMED)).health is Health.ALARMED
    unjudged = await becomes(view, health=before, probe=ours, why="it is so.")
    assert (unjudged.health, unjudged.why) == (before, "it is so.")
    if judge is evidence.testified:
        unproven = await becomes(replace(view, quorum_proven=False), health=before)
        assert unproven.health is before


async def test_listening_has_an_end() -> None:
    """Where nothing is ever told that decides it."""
    sight = a_sight()
    (cluster,) = sight.inventory.clusters.values()
    set_to(sight, 3, Condition.BLACKHOLED)
    view = await observe(cluster, sight)
    sight.clock.slept_ms.clear()

    async def metrics(*_: object) -> None: ...

    etcd = SimpleNamespace(metrics=metrics, scraped=lambda _, __: silent(0)[LEADER])
    look = cast("Look", SimpleNamespace(clock=sight.clock, etcd=etcd))
    assert await listen(cluster, view, look)
    assert sum(sight.clock.slept_ms) == 30_000


def set_to(sight: FakeSight, number: int, condition: Condition) -> None:
    sight.demo.members[MemberName(f"demo-{number}")].condition = condition


def at(sight: FakeSight, slept_ms: int, change: Callable[[], None]) -> None:
    """Let something happen when so much time has been slept."""

    def check() -> None:
        if sum(sight.clock.slept_ms) == slept_ms:
            change()

    sight.clock.on_sleep = check


async def seen(sight: FakeSight, number: int) -> Health:
    view = await observe(sight.inventory.clusters[ClusterName("demo")], sight)
    return next(each.health for each in view.seen if each.name == f"demo-{number}")
