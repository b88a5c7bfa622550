"""What is refused before anybody is asked: with the rule, and what would satisfy it."""

import pytest

from bot.targets.etcd.model import Condition
from procedures.model.errors import QuorumbotError, Refused
from procedures.model.ids import MemberName, hex_id
from procedures.model.probe import Alarm
from tests.support.certified import certified
from tests.support.rhel import on_rhel
from tests.unit.procedures.plans.case import Case, made, planned
from tests.unit.procedures.plans.cases.members import ADD, CASES, FIX
from tests.unit.procedures.plans.every import REFUSALS
from tests.unit.procedures.plans.facts.data import with_v2
from tests.unit.procedures.plans.facts.members import down, learner

CHANGES = {
    "etcd member remove": {"member": "demo-3"},
    "etcd member add": ADD,
    "etcd member promote": {"member": "demo-4"},
    "etcd member fix-peer-url": FIX,
    "etcd replace": {"member": "demo-3"},
    "etcd restart": {},
    "etcd defrag": {},
    "etcd nospace": {},
    "etcd move-leader": {},
    "etcd scale-up": {},
    "etcd certs renew": {},
    "etcd backup v2": {},
    "host rhsm-update": {},
}
READY = {
    "etcd member promote": learner(),
    "etcd scale-up": lambda _: None,
    "etcd certs renew": certified(),
    "etcd backup v2": with_v2(),
    "host rhsm-update": on_rhel(),
}
"""What has to be there, or not to be, for the alarm to be what stands against it."""


@pytest.mark.parametrize("procedure", CHANGES)
async def test_nothing_else_is_changed_while_data_differs(procedure: str) -> None:
    """R16: whatever it is, and whomever the alarm names."""
    theatre = made(Case(procedure, CHANGES[procedure], READY.get(procedure, down("demo-3"))))
    theatre.sight.demo.alarms.append(Alarm(hex_id(0), "CORRUPT"))
    with pytest.raises(Refused, match=r"CORRUPT.*\(R16\)"):
        await planned(theatre)


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """Before anybody is asked: with the rule, the figures, and what would satisfy it."""
    case, words = REFUSALS[name]
    with pytest.raises(QuorumbotError, match=words):
        await planned(made(case))


async def test_a_name_that_two_members_have() -> None:
    """It is refused, with the ids to choose from."""
    theatre = made(CASES["etcd-member-remove-healthy"])
    members = theatre.sight.demo.members
    members[MemberName("demo-2")].name = MemberName("demo-3")
    with pytest.raises(QuorumbotError, match=r"is the name of 2 members\. Say which by its id"):
        await planned(theatre)


async def test_a_member_whose_host_has_no_power() -> None:
    """Nobody here reaches it, and all others have lost it: it is removed as a failed one."""
    theatre = made(CASES["etcd-member-remove-healthy"])
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.OFF
    assert "is failed." in "\n".join((await planned(theatre)).facts)


async def test_a_member_of_whom_nobody_can_tell() -> None:
    """Not reached is not dead: its removal is refused until somebody knows."""
    theatre = made(CASES["etcd-member-remove-healthy"])
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.BLACKHOLED
    with pytest.raises(Refused, match="Nobody can tell whether demo-3 is dead"):
        await planned(theatre)
