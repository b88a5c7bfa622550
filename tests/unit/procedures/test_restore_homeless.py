"""Members of a lost cluster whose host the configuration does not name."""

import pytest

from procedures.model.errors import Refused
from tests.unit.procedures.plans.case import planned
from tests.unit.procedures.plans.facts.members import added, forgotten
from tests.unit.procedures.test_restore import KEPT, a_loss


async def test_one_that_runs_is_nobodys_to_stop() -> None:
    """Nothing is said of a host that does not answer: there is none that could."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    added("demo-9")(theatre)
    words = r"names no host of demo-9: list it in `clusters\.demo\.hosts`, or stop that etcd by"
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_one_that_is_dead_has_to_stay_off() -> None:
    """It has a vote and data of the old cluster: people see to it, before anything is stopped."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    forgotten(theatre)
    plan = await planned(theatre)
    titles = [step.title for step in plan.steps]
    ask = titles.index("Make sure that no etcd runs on demo-9")
    assert ask < titles.index("Stop etcd on demo-1")
    assert any(each.startswith("demo-9 must stay off too") for each in plan.facts)
