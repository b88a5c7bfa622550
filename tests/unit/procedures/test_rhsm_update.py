"""`/host rhsm-update`: what is refused, what a person does, and that no password is asked. (P58)"""

from collections.abc import Callable

import pytest

from bot.targets.etcd.model import Condition
from procedures.model import packages
from procedures.model.errors import QuorumbotError
from procedures.model.ids import MemberName
from procedures.model.plan import Plan
from procedures.model.run import State
from tests.support.platforms import on_kubespray
from tests.support.rhel import NEWER, Rhel, on_rhel
from tests.support.theatre import Theatre, a_theatre

Facts = Callable[[Theatre], None]


def plan_of(theatre: Theatre) -> Plan:
    plan = theatre.run.plan
    assert plan is not None
    return plan


def both(*facts: Facts) -> Facts:
    def act(theatre: Theatre) -> None:
        for each in facts:
            each(theatre)

    return act


def down(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


def off(theatre: Theatre) -> None:
    theatre.sight.hosts.machines["demo-2"].cut_off()


def every(etcd: str) -> dict[str, dict[str, str]]:
    return {name: {"etcd": etcd} for name in ("demo-1", "demo-2", "demo-3")}


REFUSALS: dict[str, tuple[Facts, str]] = {
    "another system": (lambda _: None, "demo-1 has no subscription-manager or no rpm"),
    "etcd of an image": (on_kubespray, "On kubespray, etcd is of an image"),
    "nothing newer": (on_rhel(offers={}), "nothing newer for demo-1, demo-2, demo-3"),
    "a host that is off": (both(on_rhel(), off), "demo-2 cannot be reached"),
    "a member is down": (both(on_rhel(), down), r"1 healthy of 3, quorum 2 \(R10\)"),
    "two minors further": (on_rhel(offers=every("3.6.1-1")), r"more than one minor \(R19\)"),
    "an older minor": (on_rhel(offers=every("3.3.1-1")), r"more than one minor \(R19\)"),
    "different versions": (
        on_rhel(offers={"demo-1": NEWER}),
        r"would have etcd 3\.4\.23 and 3\.4\.30 \(R19\)",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """With the figures."""
    facts, why = REFUSALS[name]
    theatre = a_theatre("host rhsm-update", {})
    facts(theatre)
    with pytest.raises(QuorumbotError, match=why):
        await theatre.approved()


async def test_a_host_of_no_member() -> None:
    """It is none of etcd's."""
    theatre = a_theatre("host rhsm-update", {"host": "demo-4"})
    on_rhel()(theatre)
    with pytest.raises(QuorumbotError, match="'demo-4' is no host of a member"):
        await theatre.approved()


async def test_all_are_updated() -> None:
    """To the very versions of the plan, one after the other, the leader without its office."""
    theatre = a_theatre("host rhsm-update", {})
    on_rhel()(theatre)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert {each.version for each in theatre.sight.demo.members.values()} == {"3.4.30"}
    updates = [each for each in theatre.effects if "yum" in each]
    assert [each.partition(":")[0] for each in updates] == ["demo-1", "demo-2", "demo-3"]
    assert "etcd-3.4.30-1.el7 iptables-services-1.4.21-35.el7" in updates[0]


async def test_a_person_registers_a_host() -> None:
    """Too early, they are asked again; name and password are on no command line. (X18)"""
    theatre = a_theatre("host rhsm-update", {"host": "demo-2"})
    rhel = Rhel(theatre, "demo-2", registered=False, channels=set())
    rhel.install()
    await theatre.approved()
    assert not any(
        word in step.command
        for step in plan_of(theatre).steps
        for word in ("--username", "--password", "--activationkey")
    )
    await theatre.work()
    theatre.report()
    await theatre.work()
    assert theatre.run.asked is not None
    assert "demo-2 is not registered yet" in (theatre.run.asked.missing or "")
    rhel.registered = True
    theatre.report()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert rhel.channels == set(packages.CHANNELS)


async def test_yum_that_installs_something_else() -> None:
    """It ended well, and the packages are not those of the plan: the run fails."""
    theatre = a_theatre("host rhsm-update", {"host": "demo-2"})
    rhel = Rhel(theatre, "demo-2")
    rhel.install()
    await theatre.approved()
    rhel.offers = {"etcd": "3.4.31-1.el7"}
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "has not installed all of it" in (theatre.run.error or "")


def test_what_yum_offers() -> None:
    """It breaks long lines; an epoch is part of a version, and what is obsolete is none."""
    said = (
        "\netcd.x86_64\n    1:3.3.11-2.el7\n    rhel-7-server-extras-rpms\n"
        "iptables-services.x86_64  1.4.21-35.el7  rhel-7-server-rpms\n"
        "Obsoleting Packages\netcd.x86_64  9.9  x\n"
    )
    found = packages.updates(said)
    assert found == {"etcd": "1:3.3.11-2.el7", "iptables-services": "1.4.21-35.el7"}
    assert packages.upstream(found["etcd"]) == "3.3.11"
    assert packages.as_installed(found["etcd"]) == "3.3.11-2.el7"
