"""What was sent may wait in a log: nothing is proven as long as no quorum has spoken twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.etcd.space import Compact, DisarmNospace
from procedures.engine.ports import Happened, NotHappened, Unclear
from procedures.model.ids import MemberName
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.engine.test_checked_again import (
    THREE,
    TWO,
    Change,
    Interrupted,
    stopped,
)
from tests.unit.procedures.test_nospace import full

FOUR, URL = MemberName("demo-4"), "https://10.0.0.4:2380"


def _learner(theatre: Theatre) -> None:
    theatre.sight.demo.add(FOUR, "https://127.0.0.1:2390", learner=True)


def _added(theatre: Theatre) -> None:
    theatre.sight.demo.members[THREE].peer_urls = (URL,)


def _promoted(theatre: Theatre) -> None:
    theatre.sight.demo.members[FOUR].learner = False


def _disarmed(theatre: Theatre) -> None:
    theatre.sight.demo.alarms.clear()


@dataclass(frozen=True)
class Case:
    """A step that was sent: of which run, by its action; how it shows that it was carried out."""

    action: str
    procedure: str
    args: Mapping[str, str] = field(default_factory=dict)
    ready: Change = field(default=lambda _: None)
    happens: Change | None = None

    async def interrupted(self) -> Interrupted:
        """Approved, and sent by a worker that is gone."""
        nospace = self.procedure == "etcd nospace"
        theatre = full() if nospace else a_theatre(self.procedure, self.args)
        self.ready(theatre)
        await theatre.approved()
        plan = theatre.run.plan
        assert plan is not None
        numbers = [step.number for step in plan.steps if step.action == self.action]
        return Interrupted(theatre, numbers[0])


CASES = {
    "add": Case(AddMember.KIND, "etcd member add", {"name": FOUR, "peer_url": URL}, happens=_added),
    "promote": Case(
        PromoteMember.KIND,
        "etcd member promote",
        {"member": FOUR},
        ready=_learner,
        happens=_promoted,
    ),
    "disarm": Case(DisarmNospace.KIND, "etcd nospace", happens=_disarmed),
    "compact": Case(Compact.KIND, "etcd nospace"),
}
LEAD = Case(EnsureNotLeader.KIND, "etcd member remove", {"member": THREE})


@pytest.mark.parametrize("name", CASES)
async def test_it_did_not_happen(name: str) -> None:
    """Quorum was there at both looks, and all is as it was."""
    assert isinstance(await (await CASES[name].interrupted()).finding(), NotHappened)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.happens])
async def test_it_happens_between_the_looks(name: str) -> None:
    """The first look may have been at what was before."""
    happens = CASES[name].happens
    assert happens is not None
    assert isinstance(await (await CASES[name].interrupted()).finding(happens), Happened)


@pytest.mark.parametrize("name", CASES)
async def test_quorum_is_lost_between_the_looks(name: str) -> None:
    """It may still be carried out when quorum returns."""
    found = await (await CASES[name].interrupted()).finding(stopped(TWO, THREE))
    assert isinstance(found, Unclear)
    assert "may still be" in found.why


@pytest.mark.parametrize("case", [*CASES.values(), LEAD], ids=[*CASES, "lead"])
async def test_there_is_no_quorum(case: Case) -> None:
    """What a member tells that has lost the others proves nothing."""
    interrupted = await case.interrupted()
    stopped(TWO, THREE)(interrupted.theatre)
    assert isinstance(await interrupted.finding(), Unclear)
