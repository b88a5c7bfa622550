"""A peer URL that is corrected: only to where etcd listens, for those who will connect."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName, MemberName
from procedures.model.plan import Plan, Risk
from procedures.model.run import State
from tests.support.theatre import Theatre
from tests.unit.procedures.plans.case import Case, Facts, made, planned
from tests.unit.procedures.plans.facts.members import down, learner, listed_as_local

URL = "https://10.0.0.1:2380"
CONF = "/etc/etcd/etcd.conf"


async def plan_of(*facts: Facts, url: str = URL, size: int = 3) -> Plan:
    def act(theatre: Theatre) -> None:
        listed_as_local(theatre)
        for each in facts:
            each(theatre)

    args = {"member": "demo-1", "url": url}
    return await planned(made(Case("etcd member fix-peer-url", args, act, size)))


def configured(name: str, old: str, new: str) -> Facts:
    """Let a member's configuration say something else."""

    def act(theatre: Theatre) -> None:
        files = theatre.sight.hosts.machines[name].files
        text = files.text(CONF)
        assert old in text
        files.put(CONF, text.replace(old, new))

    return act


def listening(*urls: str) -> Facts:
    def act(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName("demo-1")].listens = urls

    return act


def barred(name: str) -> Facts:
    """Let nothing of a machine get through to the member."""
    return lambda theatre: theatre.sight.hosts.machines[name].closed.add(("10.0.0.1", 2380))


def silent(name: str) -> Facts:
    return lambda theatre: theatre.sight.hosts.machines[name].cut_off()


def for_another(theatre: Theatre) -> None:
    """Let the certificate be for another address."""

    async def openssl(_: FakeMachine, argv: Sequence[str], __: bytes, say: Say) -> int:
        await say(f"IP {argv[-1]} does NOT match certificate")
        return 0

    theatre.sight.hosts.machines["demo-1"].programs["openssl"] = openssl


def without_its_host(theatre: Theatre) -> None:
    inventory = theatre.sight.inventory
    cluster = inventory.clusters[ClusterName("demo")]
    cluster = replace(cluster, hosts=tuple(each for each in cluster.hosts if each.name != "demo-1"))
    theatre.sight.inventory = replace(inventory, clusters={ClusterName("demo"): cluster})


@pytest.mark.parametrize(
    ("facts", "url", "words"),
    [
        (
            listening("https://10.9.9.9:2380"),
            "https://10.9.9.9:2380",
            r"demo-1 listens at https://10.0.0.1:2380 \(ETCD_LISTEN_PEER_URLS in /etc/etcd/etcd",
        ),
        (
            listening("http://10.0.0.1:2380"),
            "http://10.0.0.1:2380",
            r"demo-1 listens at https://10.0.0.1:2380",
        ),
        (
            configured("demo-1", "ETCD_LISTEN_PEER_URLS", "# ETCD_LISTEN_PEER_URLS"),
            URL,
            r"it is not said where it listens \(ETCD_LISTEN_PEER_URLS in",
        ),
        (listening(), URL, r"from demo-1 to 10.0.0.1:2380 \(nothing listens there\); demo-2 to"),
        (
            barred("demo-3"),
            URL,
            r"gets through from demo-3 to 10.0.0.1:2380 \(no answer within 3 s",
        ),
        (
            configured("demo-1", "PEER_URLS=https://10.0.0.1", "PEER_URLS=https://0.0.0.0"),
            "https://demo-2:2380",
            r"at https://demo-2:2380: that is demo-2;",
        ),
        (for_another, URL, r"/etc/etcd/peer.crt on demo-1 is not for 10.0.0.1 \(R17\)"),
        (
            configured(
                "demo-1", "LISTEN_PEER_URLS=https://10.0.0.1", "LISTEN_PEER_URLS=https://0.0.0.0"
            ),
            "https://127.0.0.1:2380",
            r"no other host reaches https://127.0.0.1:2380",
        ),
        (silent("demo-1"), URL, r"demo-1 cannot be reached, so nothing can be done there"),
        (down("demo-2"), URL, r"demo-2 must be healthy first \(R5\)"),
        (learner(), URL, r"demo-4 is still a learner: finish that change first \(R5\)"),
    ],
)
async def test_what_is_no_place_to_reach_it(facts: Facts, url: str, words: str) -> None:
    """It is refused before anybody is asked, with what stands against it."""
    with pytest.raises(Refused, match=words):
        await plan_of(facts, url=url)


async def test_a_name_is_proven_by_connections() -> None:
    """Where it leads nobody here can tell but those who connect."""
    url = "https://demo-1.invalid:2380"
    await plan_of(listening(url), url=url)
    with pytest.raises(Refused, match="nothing listens there"):
        await plan_of(url=url)


async def test_it_listens_everywhere() -> None:
    """Then at this address too."""
    await plan_of(configured("demo-1", "PEER_URLS=https://10.0.0.1", "PEER_URLS=https://0.0.0.0"))


async def test_a_restart_is_approved_as_one() -> None:
    """As many approve as for any other restart."""
    plan = await plan_of()
    assert "host.restart-etcd/1" in [each.action for each in plan.steps]
    assert plan.risk is Risk.DISRUPTIVE


async def test_it_is_configured_so_already() -> None:
    """Only the member list was wrong: nothing restarts."""
    plan = await plan_of(
        configured("demo-1", "PEER_URLS=https://localhost", "PEER_URLS=https://10.0.0.1")
    )
    assert not [each for each in plan.steps if each.action == "host.restart-etcd/1"]
    assert plan.risk is Risk.REVERSIBLE
    assert f"demo-1 is configured for {URL} already, so etcd is not restarted there." in plan.facts


async def test_where_no_member_may_be_missing() -> None:
    """Of two, none is restarted: they would be without quorum."""
    plan = await plan_of(size=2)
    assert not [each for each in plan.steps if each.action == "host.restart-etcd/1"]
    assert any("it would leave 1 healthy of 2, quorum 2 (R10)" in each for each in plan.facts)


async def test_a_peer_whose_host_does_not_answer() -> None:
    """It is said; the others have looked."""
    plan = await plan_of(silent("demo-3"))
    assert any(each.startswith("From the host of demo-3 nobody could look") for each in plan.facts)
    assert "demo-3" not in plan.steps[0].command


async def test_what_has_to_be_finished_before_without_hosts_too() -> None:
    """Nothing restarts there, so one that is down may stay down; no other change may be open."""
    await plan_of(without_its_host, down("demo-2"))
    with pytest.raises(Refused, match=r"demo-4 is still a learner: .* \(R5\)"):
        await plan_of(without_its_host, learner())


async def test_a_host_that_nobody_knows() -> None:
    """The member list is changed alone, and people are told what to look at."""
    plan = await plan_of(without_its_host)
    assert [each.action for each in plan.steps] == [
        "etcd.save-snapshot/1",
        "etcd.update-peer-url/1",
        "etcd.check-healthy/1",
    ]
    assert any("Make sure by hand that etcd listens at" in each for each in plan.facts)


async def test_the_hosts_say_so_in_the_end() -> None:
    """The member list, its own configuration, and that of the others."""
    theatre = made(
        Case("etcd member fix-peer-url", {"member": "demo-1", "url": URL}, listed_as_local)
    )
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.members()["demo-1"] == (URL,)
    machines = theatre.sight.hosts.machines
    assert f"ETCD_INITIAL_ADVERTISE_PEER_URLS={URL}\n" in machines["demo-1"].files.text(CONF)
    for name in ("demo-1", "demo-2", "demo-3"):
        assert f"demo-1={URL}," in machines[name].files.text(CONF)
    assert theatre.units()["demo-1"] == ("active", 1)
