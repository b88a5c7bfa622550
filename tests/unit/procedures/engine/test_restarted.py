"""Whatever stops etcd on a host looks once more whether the others keep quorum without it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from pydantic import JsonValue

from bot.targets.etcd.model import Condition
from procedures.actions.etcd.target import identity
from procedures.actions.host.place_certificates import PlaceCertificates
from procedures.actions.host.restart_etcd import RestartEtcd, RestartOnly
from procedures.actions.host.sign_certificates import SignCertificates
from procedures.actions.host.update_packages import UpdatePackages
from procedures.etcd.observe import find, observed
from procedures.model.errors import Refused
from procedures.model.events import Done, Started
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.run import State
from tests.support.certified import certified
from tests.support.rhel import on_rhel
from tests.support.sight import a_sight
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.engine.test_checked_again import ONE, TWO, Change, leading, stopped

DEMO = ClusterName("demo")


@dataclass(frozen=True)
class Case:
    """A run, and the first of its steps on demo-1 that stops etcd, or may."""

    action: str
    procedure: str
    args: Mapping[str, str] = field(default_factory=dict)
    ready: Change = field(default=lambda _: None)

    async def begun(self) -> Theatre:
        """All before that step is done."""
        theatre = a_theatre(self.procedure, self.args)
        self.ready(theatre)
        await theatre.approved()
        plan = theatre.run.plan
        assert plan is not None
        theatre.effects.clear()
        for step in plan.steps:
            if step.action == self.action:
                break
            signs = step.action == SignCertificates.KIND
            sums: JsonValue = ["0" * 64, "0" * 64] if signs else None
            theatre.append(Started(step.number, 1), Done(step.number, sums))
        return theatre


RESTART = Case(RestartEtcd.KIND, "etcd restart", {"member": ONE})
UPDATE = Case(UpdatePackages.KIND, "host rhsm-update", {"host": ONE}, on_rhel())
RENEW = Case(PlaceCertificates.KIND, "etcd certs renew", {"host": ONE}, certified())
STOPPING = {"restart": RESTART, "update": UPDATE, "renew": RENEW}


def _gone(theatre: Theatre) -> None:
    del theatre.sight.demo.members[ONE]


async def _refused(case: Case, change: Change) -> str:
    """Carry on after something changed; gives the words, where nothing was done."""
    theatre = await case.begun()
    change(theatre)
    units = theatre.units()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert (theatre.effects, theatre.units()) == ([], units)
    return str(theatre.run.error)


@pytest.mark.parametrize("name", STOPPING)
async def test_another_died_meanwhile(name: str) -> None:
    """It would be the second one: quorum would be lost (R10)."""
    words = await _refused(STOPPING[name], stopped(TWO))
    assert "it would leave 1 healthy of 3, quorum 2 (R10)." in words


@pytest.mark.parametrize("name", STOPPING)
async def test_it_was_taken_out_meanwhile(name: str) -> None:
    """What was approved was about a member."""
    words = await _refused(STOPPING[name], _gone)
    assert "demo-1 (a001) is not a member any more. Ask again." in words


@pytest.mark.parametrize("name", ["restart", "update"])
async def test_it_leads_again(name: str) -> None:
    """The leader hands over before it is stopped (R9)."""
    words = await _refused(STOPPING[name], leading(ONE))
    assert (
        "demo-1 (a001) leads again (R9). Move leadership with /etcd move-leader, then resume."
        in words
    )


@pytest.mark.parametrize("size", [1, 3])
async def test_one_that_has_to_be_alone(size: int) -> None:
    """A member that is restarted whoever leads is the only one, or is left alone."""
    sight = a_sight(size)
    _, row = find(await observed(DEMO, sight), ONE)
    action = RestartOnly(DEMO, Platform.ETCD, At(ONE, ""), identity(row))
    if size == 1:
        assert await action._allowed(sight) == "demo-1 is the only member"
        return
    with pytest.raises(Refused, match="demo-1 is not alone: demo-2, demo-3"):
        await action._allowed(sight)


async def test_one_that_is_down_may_come_back() -> None:
    """Nobody else has more to lose by it (R10)."""
    theatre = await RESTART.begun()
    theatre.sight.demo.members[ONE].condition = Condition.STOPPED
    before = theatre.units()[ONE]
    await theatre.work()
    assert theatre.units()[ONE] != before
