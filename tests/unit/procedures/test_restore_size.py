"""Of how many members a restored cluster is."""

from collections.abc import Callable

import pytest

from procedures.actions.etcd.add_member import AddMember
from procedures.model import envfile
from tests.support.lost_cluster import Tools
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.case import planned
from tests.unit.procedures.test_restore import ALL, a_loss

CONF = "/etc/etcd/etcd.conf"


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


def configured(name: str, **values: str) -> Callable[[Theatre], None]:
    """Let a host's configuration say something else."""

    def act(theatre: Theatre) -> None:
        files = theatre.sight.hosts.machines[name].files
        files.put(CONF, envfile.edited(files.text(CONF), values))

    return act


async def test_no_two_join_as_the_same_member() -> None:
    """A file that was copied to a spare by hand says of it that it is another."""
    theatre = a_loss("demo-1", "demo-3", off=("demo-2",))
    machines = theatre.sight.hosts.machines
    machines["demo-4"].files.put(CONF, machines["demo-1"].files.text(CONF))
    plan = await planned(theatre)
    assert any(fact.startswith("Afterwards 1 of 1 members") for fact in plan.facts)
    assert not [step for step in plan.steps if step.action == AddMember.KIND]


@pytest.mark.parametrize("name", ["demo-1", "demo-3"])
async def test_nobody_joins_where_peers_do_not_reach_each_other(name: str) -> None:
    """A peer URL on loopback leads each machine to itself."""
    theatre = a_loss("demo-1", "demo-2", "demo-3")
    local = {"ETCD_INITIAL_ADVERTISE_PEER_URLS": "https://localhost:2380"}
    configured(name, **local)(theatre)
    plan = await planned(theatre)
    assert not [step for step in plan.steps if step.action == AddMember.KIND]
    told = [each for each in plan.facts if "/etcd member fix-peer-url demo-1" in each]
    assert bool(told) is (name == "demo-1")
