"""What a member that answers has, and the snapshot lacks: it is not lost unsaid. (P22, P34; R14)"""

from dataclasses import replace

import pytest

from procedures.model.errors import Refused
from procedures.model.run import State
from tests.support.lost_cluster import keep, lose
from tests.support.theatre import a_theatre
from tests.unit.procedures.plans.case import planned
from tests.unit.procedures.test_restore import ALL, KEPT, a_loss


async def test_what_a_survivor_has_is_not_lost_unsaid() -> None:
    """It answers at a newer revision than the snapshot's: how it is saved, and how given up."""
    theatre = a_loss("demo-2", "demo-3")
    words = (
        rf"demo-1 \(revision 100\) answers, and the newest snapshot with quorum, {KEPT}, ends at "
        r"revision 90: 10 revisions would be lost \(R14\)\. Save them first: /etcd backup, .* the "
        rf"name of that snapshot\. To give those revisions up: /etcd restore {KEPT}\."
    )
    with pytest.raises(Refused, match=words):
        await planned(theatre)
    alone = keep(theatre.backups, theatre.sight.clock.ms, revision=100, quorum=False)
    with pytest.raises(Refused, match=rf"{alone.name} was taken without quorum, and has them: "):
        await planned(theatre)


async def test_what_is_said_before_its_host_is_switched_off() -> None:
    """Nobody can stop that member; its host answers no more, and its data is saved first."""
    theatre = a_loss("demo-2", "demo-3")
    theatre.sight.hosts.machines["demo-1"].cut_off()
    with pytest.raises(Refused, match=r"Save them first: /etcd backup"):
        await planned(theatre)


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        (90, "nobody who answers has more"),
        (91, "1 revision after that is given up, as it was named"),
        (250, "160 revisions after that are given up, as it was named"),
    ],
)
async def test_what_is_given_up_stands_in_the_plan(revision: int, words: str) -> None:
    """With the revision of each member that answers, beside the snapshot's."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    theatre.sight.demo.revision = revision
    told = f"demo-1 (revision {revision}) answers. {KEPT} ends at revision 90: {words}."
    assert told in (await planned(theatre)).facts


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ((), "Data of members lies on demo-1 and demo-2 and demo-3, and 2 make a quorum. "),
        (("demo-1",), "Data of members lies on demo-2 and demo-3, and 2 make a quorum. "),
        (("demo-1", "demo-3"), None),
    ],
)
async def test_members_that_may_only_have_to_be_started(
    gone: tuple[str, ...], told: str | None
) -> None:
    """Nobody answers, as after a power failure: whoever approves is told that all may be there."""
    theatre = a_loss(*ALL)
    for name in gone:
        theatre.sight.hosts.machines[name].files.remove("/var/lib/etcd/member")
    facts = [each for each in (await planned(theatre)).facts if each.startswith("Data of members")]
    assert [each[: len(told or "")] for each in facts] == ([told] if told else [])


async def test_a_snapshot_reaches_as_far_as_its_member_was() -> None:
    """What it has may end earlier, where the last writes were deletions that are compacted."""
    theatre = a_loss("demo-2", "demo-3")
    snapshot, data = theatre.backups.stored[KEPT]
    origin = replace(snapshot.origin, revision=100)
    theatre.backups.stored[KEPT] = replace(snapshot, origin=origin), data
    assert any("nobody who answers has more" in fact for fact in (await planned(theatre)).facts)


async def test_a_survivor_gives_all_that_it_has_and_is_restored_from_that() -> None:
    """The whole way: backed up without quorum, restored by that name, and nothing is given up."""
    before = a_theatre("etcd backup", {})
    lose(before, "demo-2", "demo-3")
    await before.approved()
    await before.work()
    [saved] = [each for each, _ in before.backups.stored.values() if not each.origin.quorum]
    theatre = a_loss("demo-2", "demo-3", snapshot=saved.name)
    theatre.backups.stored.update(before.backups.stored)
    await theatre.approved()
    assert theatre.run.plan is not None
    assert any("nobody who answers has more" in fact for fact in theatre.run.plan.facts)
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert set(theatre.members()) == set(ALL)
    assert theatre.sight.demo.revision >= saved.revision == 100
