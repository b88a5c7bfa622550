"""Whose data is right: most of all voters tell, at one revision and one compaction. (R16)"""

from collections.abc import Mapping, Sequence

import pytest

from bot.targets.etcd.memory import FakeEtcd
from procedures.actions.etcd.disarm_corrupt import DisarmCorrupt
from procedures.etcd.observe import observe
from procedures.etcd.same_data import Compared, compared, surely_compared
from procedures.model.errors import Permanent, Refused
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import Alarm, Fault, HashKv
from tests.support.script import Script
from tests.support.sight import a_sight
from tests.support.theatre import Pen, Theatre, a_theatre

DEMO = ClusterName("demo")
ONE, TWO = MemberName("demo-1"), MemberName("demo-2")


def told(*hashes: int | None) -> Compared:
    members = {MemberId(f"a{number}"): each for number, each in enumerate(hashes)}
    return Compared(100, members, {member: member for member in members})


@pytest.mark.parametrize("hashes", [(1, 1, None, None, None), (1, 2), (1, 2, 3), (1, 1, 2, 2), ()])
def test_nobody_can_tell_which_is_right(hashes: tuple[int | None, ...]) -> None:
    """Those that gave no hash are voters, too."""
    with pytest.raises(Refused, match=r"\(R16\).*People have to"):
        told(*hashes).odd()


@pytest.mark.parametrize(
    ("hashes", "odd"),
    [((1, 1, 1), ""), ((1, 1, 2), "a2"), ((2, 1, 1, None, 1), "a0"), ((1, 1, None), "")],
)
def test_most_are_right(hashes: tuple[int | None, ...], odd: str) -> None:
    """One that gave none is not called other for it."""
    assert told(*hashes).odd() == ((odd,) if odd else ())


class Compacting(FakeEtcd):
    """One member has dropped older versions already, the others have not."""

    async def hashes(
        self, cluster: Cluster, endpoints: Sequence[str], revision: int, *, fresh: bool = False
    ) -> Mapping[str, HashKv | Fault]:
        found = await super().hashes(cluster, endpoints, revision, fresh=fresh)
        return {
            endpoint: HashKv(each.revision, 1 + number, each.hash + number)
            for number, (endpoint, each) in enumerate(found.items())
            if isinstance(each, HashKv)
        }


async def test_hashes_of_different_compactions_are_not_compared() -> None:
    """They differ though the data is the same."""
    sight = a_sight()
    sight.etcd = Compacting(sight.etcd.clusters, sight.clock.now_ms)
    cluster = sight.inventory.clusters[DEMO]
    view = await observe(cluster, sight)
    assert await compared(cluster, view, sight) is None
    with pytest.raises(Refused, match=r"not come to the same compaction.*\(R16\)"):
        await surely_compared(cluster, view, sight)


async def test_what_is_too_large_to_compare_proves_nothing() -> None:
    """Where something rests on it, it is refused, and it is said what to raise."""
    sight = a_sight()
    cluster = sight.inventory.clusters[DEMO]
    sight.demo.members[TWO].db_size = cluster.hash_up_to_bytes + 1
    view = await observe(cluster, sight)
    with pytest.raises(Refused, match=r"nothing is done without a proof \(R16\)"):
        await surely_compared(cluster, view, sight)


async def disarm(theatre: Theatre) -> None:
    pen = Pen(theatre, Script(), theatre.holder)
    await DisarmCorrupt(DEMO).perform(theatre._stage(pen.script), pen)


async def test_no_other_alarm_is_taken_back() -> None:
    """NOSPACE goes away when there is space (R15)."""
    theatre = a_theatre("etcd defrag", {})
    demo = theatre.sight.demo
    demo.raise_alarm(ONE, "CORRUPT")
    demo.raise_alarm(TWO, "NOSPACE")
    await disarm(theatre)
    assert theatre.effects == [f"disarm CORRUPT {demo.members[ONE].id}"]


class Corrupt(FakeEtcd):
    """etcd finds the same again at once."""

    async def disarm(self, cluster: Cluster, endpoint: str, alarm: Alarm) -> None:
        await super().disarm(cluster, endpoint, alarm)
        self.clusters[cluster.name].raise_alarm(TWO, "CORRUPT")


async def test_an_alarm_that_comes_back_is_said() -> None:
    """The run does not go on as if all were well."""
    theatre = a_theatre("etcd defrag", {})
    theatre.sight.demo.raise_alarm(ONE, "CORRUPT")
    theatre.sight.etcd = Corrupt(theatre.sight.etcd.clusters, theatre.sight.clock.now_ms)
    with pytest.raises(Permanent, match=r"CORRUPT is on again on demo \(R16\)"):
        await disarm(theatre)
