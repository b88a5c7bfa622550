"""Machines that are others than their names say: no etcd of a member is stopped for that. (R7)"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from procedures.etcd.observe import observed
from procedures.etcd.residents import residents
from procedures.model.errors import Refused
from procedures.model.host import FileSeen
from procedures.model.ids import ClusterName, MemberName
from procedures.model.run import State
from tests.support.furnishing import configure
from tests.support.lost_cluster import lose
from tests.support.noting import carried_out
from tests.support.theatre import Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

DEMO, OTHER = ClusterName("demo"), ClusterName("other")
CONF = "/etc/etcd/etcd.conf"


def theatre_of(procedure: str, **args: str) -> Theatre:
    """A cluster of which each member's host says where it is."""
    theatre = a_theatre(procedure, args)
    configure(theatre.sight)
    return theatre


def swap(theatre: Theatre, one: str, another: str) -> None:
    """Let the configuration have the addresses of two hosts the wrong way round."""
    machines = theatre.sight.hosts.machines
    machines[one], machines[another] = machines[another], machines[one]


def running(theatre: Theatre) -> set[str]:
    """Whose etcd runs."""
    members = theatre.sight.demo.members.values()
    return {str(each.name) for each in members if each.condition is Condition.RUNNING}


def serving(theatre: Theatre, name: str) -> None:
    """Let a host that this cluster lists too be a member of another cluster."""
    sight = theatre.sight
    demo = sight.inventory.clusters[DEMO]
    other = replace(
        demo, name=OTHER, hosts=(), endpoints={MemberName("x"): "https://10.7.0.1:2379"}
    )
    clusters = {DEMO: demo, OTHER: other}
    sight.inventory = replace(sight.inventory, clusters=clusters)
    machine = sight.hosts.machines[name]
    machine.units["etcd.service"].active = "active"
    machine.files.folder("/var/lib/etcd/member")
    machine.files.put(
        CONF,
        f"ETCD_NAME={name}\n"
        "ETCD_INITIAL_ADVERTISE_PEER_URLS=https://10.0.0.4:2380\n"
        "ETCD_ADVERTISE_CLIENT_URLS=https://10.0.0.4:2379\n"
        f"ETCD_INITIAL_CLUSTER=x=https://10.7.0.1:2380,{name}=https://10.0.0.4:2380\n",
    )


async def test_the_same_machine_under_a_second_name() -> None:
    """It is not retired: the cluster would lose a member that works."""
    theatre = theatre_of("etcd retire", host="demo-4")
    machines = theatre.sight.hosts.machines
    machines["demo-4"] = machines["demo-1"]
    with pytest.raises(Refused, match=r"demo-4 is configured as the member demo-1 \(a001\)"):
        await planned(theatre)


async def test_one_that_becomes_a_member_after_the_plan() -> None:
    """The step looks once more."""
    theatre = theatre_of("etcd retire", host="demo-4")
    await theatre.approved()
    machines = theatre.sight.hosts.machines
    text = machines["demo-1"].files.text(CONF)
    machines["demo-4"].files.put(CONF, text)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is configured as the member demo-1 (a001)" in (theatre.run.error or "")
    assert machines["demo-4"].units["etcd.service"].enabled == "enabled"


async def test_a_dead_member_goes_and_two_addresses_are_swapped() -> None:
    """Where its host is said to be, another one works: that one stays, and people are told."""
    theatre = theatre_of("etcd member remove", member="demo-2")
    theatre.sight.demo.members[MemberName("demo-2")].condition = Condition.STOPPED
    swap(theatre, "demo-1", "demo-2")
    found = await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert running(theatre) == {"demo-1", "demo-3"}
    assert not found.hosts.told
    assert any(
        "look whether 10.0.0.2 is the address of demo-2" in each for each in found.plan.facts
    )


async def test_a_restart_where_two_addresses_are_swapped() -> None:
    """With one down, the restart of it would stop another, and quorum with it."""
    theatre = theatre_of("etcd restart", member="demo-2")
    theatre.sight.demo.members[MemberName("demo-2")].condition = Condition.STOPPED
    swap(theatre, "demo-1", "demo-2")
    found = await carried_out(theatre)
    assert theatre.run.state is State.FAILED
    assert "configured as the member demo-1 (a001), and demo-2 (a002) is" in (
        theatre.run.error or ""
    )
    assert not found.hosts.told


async def test_a_peer_url_where_two_addresses_are_swapped() -> None:
    """It would be written into the configuration of another member."""
    theatre = theatre_of("etcd member fix-peer-url", member="demo-2", url="https://10.0.0.2:2380")
    swap(theatre, "demo-1", "demo-2")
    with pytest.raises(Refused, match=r"demo-1 \(a001\), and demo-2 \(a002\) is meant \(R7\)"):
        await planned(theatre)


async def test_a_member_that_is_called_otherwise_than_its_host() -> None:
    """It is no spare; nor is anybody told to switch it off."""
    theatre = theatre_of("etcd scale-up", host="demo-2")
    theatre.sight.demo.members[MemberName("demo-2")].name = MemberName("infra-2.example")
    with pytest.raises(Refused, match=r"configured as the member infra-2\.example \(a002\)") as why:
        await planned(theatre)
    assert "retire" not in str(why.value)


@pytest.mark.parametrize(
    ("procedure", "words"),
    [
        ("etcd retire", "configured for the cluster other"),
        ("etcd scale-up", "an etcd runs there for the cluster other"),
    ],
)
async def test_a_spare_that_serves_another_cluster(procedure: str, words: str) -> None:
    """It is nobody's to switch off here."""
    theatre = theatre_of(procedure, host="demo-4")
    serving(theatre, "demo-4")
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_a_restore_leaves_a_host_of_another_cluster_alone() -> None:
    """It lists that host as a spare too."""
    theatre = a_theatre("etcd restore", {})
    lose(theatre, "demo-1", "demo-2", "demo-3")
    serving(theatre, "demo-4")
    plan = await planned(theatre)
    assert not [step for step in plan.steps if "demo-4" in step.command]
    assert any("demo-4 is configured for the cluster other" in each for each in plan.facts)


@pytest.mark.parametrize(
    "text",
    [
        "ETCD_ADVERTISE_CLIENT_URLS=https://localhost:2379\n",
        "ETCD_ADVERTISE_CLIENT_URLS=http://0.0.0.0:2379,[::1\n",
        "ETCD_INITIAL_CLUSTER=,=,a\n",
        "",
    ],
)
async def test_what_tells_nothing_is_no_obstacle(text: str) -> None:
    """Neither an address that is the same everywhere, nor one that is none."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName("demo-1")].client_url = "https://localhost:2379"
        theatre.sight.hosts.machines["demo-4"].files.put(CONF, text)

    assert await _retired(act) is State.SUCCEEDED


async def _retired(act: Callable[[Theatre], None]) -> State:
    theatre = a_theatre("etcd retire", {"host": "demo-4"})
    act(theatre)
    await carried_out(theatre)
    return theatre.run.state


async def test_a_url_that_members_share_tells_of_none() -> None:
    """Clients reach them by one balancer: whoever was removed is none of the others for that."""
    sight = theatre_of("etcd retire", host="demo-4").sight
    balancer = "https://etcd.example.com:2379"
    view = await observed(DEMO, sight)
    seen = tuple(
        replace(each, listed=replace(each.listed, client_urls=(balancer,)))
        for each in view.seen
        if each.listed
    )
    view = replace(view, seen=seen)
    own = "ETCD_INITIAL_ADVERTISE_PEER_URLS={}\nETCD_ADVERTISE_CLIENT_URLS=" + balancer

    def told(peer_url: str) -> list[str]:
        config = FileSeen(own.format(peer_url).encode(), 0o644, "root", "root")
        return [row.name for row in residents(config, view)]

    assert told("https://10.0.0.9:2380") == []
    assert told("https://demo-2.invalid:2380") == ["demo-2"]
