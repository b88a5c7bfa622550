"""Of how many members a restored cluster is."""

import pytest

from procedures.actions.etcd.add_member import AddMember
from tests.support.lost_cluster import Tools
from tests.unit.procedures.plans.case import planned
from tests.unit.procedures.test_restore import ALL, a_loss


async def test_before_learners_were_known_it_stays_alone() -> None:
    """Up to etcd 3.3 a second voter would stop all writes until it starts (R6)."""
    plan = await planned(a_loss(*ALL, tools=Tools("3.3.27")))
    assert any(fact.startswith("Afterwards 1 of 1 members") for fact in plan.facts)
    assert not [step for step in plan.steps if step.action == AddMember.KIND]


@pytest.mark.parametrize(("off", "members"), [((), 3), (("demo-3",), 1)])
async def test_there_are_an_odd_number_in_the_end(off: tuple[str, ...], members: int) -> None:
    """Two bear no more than one does, and each of them would have to be there (R8)."""
    plan = await planned(a_loss(*(each for each in ALL if each not in off), off=off))
    assert any(fact.startswith(f"Afterwards {members} of {members}") for fact in plan.facts)
    added = [step for step in plan.steps if step.action == AddMember.KIND]
    assert len(added) == members - 1
