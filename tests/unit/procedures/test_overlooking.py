"""Where one alarm is what a procedure is about, it counts against nobody; any other does."""

from procedures.etcd.observe import observed
from procedures.etcd.view import CORRUPT, NOSPACE, overlooking
from procedures.model.ids import ClusterName, MemberName
from procedures.model.quorum import Health
from tests.support.sight import a_sight

ONE, TWO, THREE = (MemberName(f"demo-{number}") for number in (1, 2, 3))


async def test_only_that_alarm() -> None:
    """A member that has another one too is not well (R15, R16)."""
    sight = a_sight()
    for name, kind in ((ONE, NOSPACE), (TWO, NOSPACE), (TWO, CORRUPT), (THREE, CORRUPT)):
        sight.demo.raise_alarm(name, kind)
    view = await observed(ClusterName("demo"), sight)
    assert {seen.health for seen in view.seen} == {Health.ALARMED}

    def healthy(alarm: str) -> list[str]:
        found = overlooking(view, alarm).seen
        return [seen.name for seen in found if seen.health is Health.HEALTHY]

    assert (healthy(NOSPACE), healthy(CORRUPT)) == ([ONE], [THREE])
