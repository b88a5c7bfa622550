"""A host whose member was replaced, and which still has the configuration of that."""

from dataclasses import replace

import pytest

from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, MemberName
from procedures.model.run import State
from tests.support.lost_cluster import MEMBER, lose
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

LEFT = ("demo-2", "demo-3", "demo-4")


def replaced(**args: str) -> Theatre:
    """Let the cluster be one of three that demo-1 has left, and lose it."""
    theatre = a_theatre("etcd restore", args, 4)
    lose(theatre, *LEFT)
    sight, gone = theatre.sight, MemberName("demo-1")
    machine = sight.hosts.machines[gone]
    machine.units["etcd.service"].stop(machine)
    machine.files.move(MEMBER, f"{MEMBER}.quorumbot-1")
    del sight.demo.members[gone]
    cluster = sight.inventory.clusters[ClusterName("demo")]
    stay = {name: url for name, url in cluster.endpoints.items() if name != gone}
    sight.inventory = replace(
        sight.inventory, clusters={cluster.name: replace(cluster, endpoints=stay)}
    )
    return theatre


async def test_it_is_not_restored_on_a_host_that_is_no_member_any_more() -> None:
    """Nobody would ask it: the run would end when all is stopped."""
    theatre = replaced()
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert set(theatre.members()) == set(LEFT)


async def test_asked_for_by_name_it_is_refused() -> None:
    """With who is expected, and how that is changed."""
    words = r"no member is expected there, but demo-2, demo-3, demo-4 \(/etcd expect --members"
    with pytest.raises(Refused, match=words):
        await planned(replaced(on="demo-1"))
