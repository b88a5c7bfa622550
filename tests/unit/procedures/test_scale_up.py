"""`/etcd scale-up`: what is refused, and what it does when things change under it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.etcd.observe import observed
from procedures.etcd.scale_up import sizes
from procedures.model.errors import QuorumbotError
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Host
from procedures.model.plan import Plan
from procedures.model.run import State
from tests.support.machines import live_on
from tests.support.platforms import on_kubespray, with_static_pods
from tests.support.script import Script
from tests.support.sight import a_sight
from tests.support.theatre import Theatre, a_theatre

DEMO = ClusterName("demo")
Facts = Callable[[Theatre], None]


def a_scale_up(facts: Facts = lambda _: None, host: str = "", size: int = 3) -> Theatre:
    theatre = a_theatre("etcd scale-up", {"host": host} if host else {}, size)
    facts(theatre)
    return theatre


async def planned(theatre: Theatre) -> Plan:
    request = theatre.run.request
    return await draft(PROCEDURES[request.command], request, theatre.sight)


def machine(theatre: Theatre, name: str = "demo-4") -> FakeMachine:
    return theatre.sight.hosts.machines[name]


def another_spare(name: str, address: str) -> Facts:
    """Let one more host be there."""

    def act(theatre: Theatre) -> None:
        sight, host = theatre.sight, Host(name, address)
        cluster = sight.inventory.clusters[DEMO]
        sight.inventory = replace(
            sight.inventory, clusters={DEMO: replace(cluster, hosts=(*cluster.hosts, host))}
        )
        live_on(sight.hosts.add(name), sight.demo, host)

    return act


def added_by_hand(*, learner: bool, started: bool = False) -> Facts:
    def act(theatre: Theatre) -> None:
        theatre.sight.demo.add(
            MemberName("demo-9"), "https://127.0.0.1:2399", learner=learner, started=started
        )

    return act


def add_for_this_host(theatre: Theatre) -> None:
    member = theatre.sight.demo.add(
        MemberName("demo-4"), "https://10.0.0.4:2379", learner=True, started=False
    )
    member.peer_urls = ("https://10.0.0.4:2380",)


def down(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-2")].condition = Condition.STOPPED


def off(theatre: Theatre) -> None:
    machine(theatre).power_off()


def runs(theatre: Theatre) -> None:
    machine(theatre).units["etcd.service"].active = "active"


def restarts(theatre: Theatre) -> None:
    machine(theatre).units["etcd.service"].active = "activating"


def masked(theatre: Theatre) -> None:
    """Somebody wanted no etcd ever to start there."""
    theatre.sight.hosts.machines["demo-4"].units["etcd.service"].enabled = "masked"


def without_unit(theatre: Theatre) -> None:
    """Only the program was copied there."""
    del theatre.sight.hosts.machines["demo-4"].units["etcd.service"]


def cloned(theatre: Theatre) -> None:
    machine(theatre).machine_id = machine(theatre, "demo-1").machine_id


def newer(theatre: Theatre) -> None:
    for member in theatre.sight.demo.members.values():
        member.version = "3.5.16"


def full(theatre: Theatre) -> None:
    machine(theatre).free_bytes = 1


def without_certificate(theatre: Theatre) -> None:
    machine(theatre).files.remove("/etc/etcd/peer.crt")


def of_another_ca(theatre: Theatre) -> None:
    machine(theatre).files.put("/etc/etcd/ca.crt", "another")


def on_loopback(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-1")].peer_urls = ("https://localhost:2380",)


def unreadable(theatre: Theatre) -> None:
    for name in ("demo-1", "demo-2", "demo-3"):
        machine(theatre, name).reachable = False


def listening(theatre: Theatre) -> None:
    """Let something that is no etcd answer at the port."""
    for each in theatre.sight.hosts.machines.values():
        each.programs["timeout"] = _open


async def _open(*_: object) -> int:
    return 0


def named_otherwise(theatre: Theatre) -> None:
    on_kubespray(theatre)
    wrapper = machine(theatre, "demo-1").files
    text = wrapper.text("/usr/local/bin/etcd").replace("--name=demo-1", "--name=etcd7")
    wrapper.put("/usr/local/bin/etcd", text, 0o755)


def manifest_in_place(theatre: Theatre) -> None:
    with_static_pods(theatre)
    machine(theatre).files.put("/etc/origin/node/pods/etcd.yaml", "kind: Pod\n")


REFUSALS: dict[str, tuple[Facts, str, str]] = {
    "one that has a member": (lambda _: None, "demo-2", "demo-2 has the member demo-2 already"),
    "a part of a name": (lambda _: None, "demo", r"There is no host 'demo'\. Did you mean demo-"),
    "a name of which another is a part": (
        lambda _: None,
        "demo-44",
        r"There is no host 'demo-44'\. Did you mean demo-4\?",
    ),
    "two to choose from": (
        another_spare("demo-5", "10.0.0.5"),
        "",
        r"Say after scale-up which host gets the member: demo-4 or demo-5\.",
    ),
    "a learner": (
        added_by_hand(learner=True, started=True),
        "",
        r"demo-9 \(a004\) is still a learner \(R5\)\. Let it vote with /etcd member promote demo-9",
    ),
    "a learner that never started": (
        added_by_hand(learner=True),
        "",
        r"Member a004, .* on its host, take the addition back with /etcd member remove a004",
    ),
    "an addition for this very host": (
        add_for_this_host,
        "",
        r"peer https://10\.0\.0\.4:2380, .* start etcd on this host, take the addition back",
    ),
    "a voter that never started": (
        added_by_hand(learner=False),
        "",
        r"never started \(R5\)\. .* /etcd member remove a004",
    ),
    "one that is down": (down, "", r"demo-2 must be healthy first \(R3\)\. .*/etcd replace"),
    "a host that does not answer": (
        off,
        "",
        r"demo-4 cannot be reached, so it cannot get a member",
    ),
    "a running etcd": (runs, "", r"an etcd runs there \(/etcd retire demo-4 switches it off\)"),
    "one that systemd restarts": (restarts, "", r"etcd\.service is activating \(/etcd retire"),
    "a masked unit": (
        masked,
        "",
        r"etcd\.service is masked there \(systemctl unmask",
    ),
    "no unit": (without_unit, "", r"it has no etcd\.service: install the package of etcd there"),
    "a manifest": (manifest_in_place, "", "a manifest of etcd is in place"),
    "a clone": (cloned, "", "it has the machine id of demo-1"),
    "another minor": (
        newer,
        "",
        r"it has etcd 3\.4, and the cluster etcd 3\.5: install that \(R19\)",
    ),
    "a full disk": (full, "", r"its data folder has 0\.0 GiB left, .*\(R13\)"),
    "no certificate": (
        without_certificate,
        "",
        r"peer\.crt: missing or no certificate \(R17\), and no .* /etcd certs issue demo-4, which",
    ),
    "another CA": (of_another_ca, "", r"its CA file is not that of demo-1 or demo-2 or demo-3"),
    "a peer URL on loopback": (
        on_loopback,
        "",
        r"peer URL of demo-1 is https://localhost:2380, .* /etcd member fix-peer-url demo-1",
    ),
    "no configuration to copy": (unreadable, "", "configuration of no other member can be read"),
    "a port that is taken": (listening, "", "Something that is no etcd listens already"),
    "a container of another name": (named_otherwise, "", "is called etcd7, and its member demo-1"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """Before anybody is asked, with what would satisfy it."""
    facts, host, words = REFUSALS[name]
    with pytest.raises(QuorumbotError, match=words):
        await planned(a_scale_up(facts, host))


async def test_a_voter_by_hand_beside_the_only_member() -> None:
    """It has stopped all writes: nothing but its start helps."""
    theatre = a_scale_up(added_by_hand(learner=False), size=1)
    with pytest.raises(QuorumbotError, match=r"nothing can be written or removed \(R6\)\. Start"):
        await planned(theatre)


async def test_a_host_whose_name_is_a_part_of_another() -> None:
    """Each gets its own."""
    theatre = a_scale_up(another_spare("demo-10", "10.0.0.10"), "demo-10", size=1)
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.members()["demo-10"] == ("https://10.0.0.10:2380",)
    conf = machine(theatre, "demo-1").files.text("/etc/etcd/etcd.conf")
    assert "demo-1=https://demo-1.invalid:2380,demo-10=https://10.0.0.10:2380" in conf


@pytest.mark.parametrize(("before", "said"), [(1, True), (2, False), (3, True), (6, False)])
async def test_an_even_number_is_said(before: int, said: bool) -> None:
    """It bears no more than one less (R8)."""
    lines = sizes(await observed(DEMO, a_sight(before)))
    assert any("tolerate no more than" in line for line in lines) is said
    assert not any("writes become slower" in line for line in lines)


@pytest.mark.parametrize("short", [0, 1])
async def test_there_is_room_for_the_data_twice(short: int) -> None:
    """It takes in a snapshot beside what it has (R13)."""
    theatre = a_scale_up()
    for member in theatre.sight.demo.members.values():
        member.db_size = 100 * 1024**2
    machine(theatre).free_bytes = 200 * 1024**2 - short
    if not short:
        await planned(theatre)
        return
    with pytest.raises(QuorumbotError, match=r"twice the database is 0\.2 GiB \(R13\)"):
        await planned(theatre)


async def test_too_many_are_said() -> None:
    """Above seven, each write waits for more of them (R8)."""
    lines = sizes(await observed(DEMO, a_sight(7)))
    assert "With more than 7 voters writes become slower, and little is won (R8)." in lines


async def test_one_after_the_other() -> None:
    """Each time by one; what is expected follows, and an even number is said to help nobody."""
    theatre = a_scale_up(another_spare("demo-5", "10.0.0.5"), "demo-4")
    await theatre.approved()
    assert theatre.run.plan is not None
    assert any(
        "4 voters tolerate no more than 3 do (R8)" in each for each in theatre.run.plan.facts
    )
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert theatre.expected()["demo-4"] == "https://10.0.0.4:2379"
    following = Theatre("etcd scale-up", {"host": "demo-5"}, theatre.sight)
    theatre.sight.inventory = theatre.sight.inventory.expecting(
        DEMO, theatre.sight.records.stored[DEMO]
    )
    await following.approved()
    assert following.run.plan is not None
    assert not any("(R8)" in each for each in following.run.plan.facts)
    assert "5 of 5, tolerance 2" in following.run.plan.facts[0]


async def test_the_leader_changes_meanwhile() -> None:
    """Whoever leads is asked."""
    theatre = a_scale_up()
    await theatre.approved()

    def elect() -> "asyncio.Task[None]":
        async def other() -> None:
            await theatre.sight.etcd.move_leader(
                theatre.sight.inventory.clusters[DEMO],
                "https://127.0.0.1:2380",
                theatre.sight.demo.members[MemberName("demo-3")].id,
            )

        return asyncio.create_task(other())

    await theatre.work(Script(stall_at=2, meanwhile=elect))
    assert theatre.run.state is not State.FAILED, theatre.run.error
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_two_at_once() -> None:
    """The plan of the second does not hold any more when the first is through."""
    first = a_scale_up(another_spare("demo-5", "10.0.0.5"), "demo-4")
    await first.approved()
    second = Theatre("etcd scale-up", {"host": "demo-4"}, first.sight)
    third = Theatre("etcd scale-up", {"host": "demo-5"}, first.sight)
    for each in (second, third):
        await each.approved()
    await first.work()
    assert first.run.state is State.SUCCEEDED, first.run.error
    with pytest.raises(QuorumbotError, match="demo-4 has the member demo-4 already"):
        await planned(second)
    assert third.run.plan is not None
    assert (await planned(third)).digest != third.run.plan.digest
    await second.work()  # where the plan was carried out all the same
    assert second.run.state is State.FAILED
    assert len(first.members()) == 4


async def test_a_host_that_only_members_can_tell_of() -> None:
    """A member's host that does not answer: the plan says what could not be seen from there."""
    theatre = a_scale_up()
    machine(theatre, "demo-2").reachable = False
    facts = (await planned(theatre)).facts
    assert "From demo-2 nobody could look whether the new member can be reached." in facts
    assert "The configuration on demo-2 cannot be read, and stays." in facts


async def test_people_open_the_firewall() -> None:
    """Too early, they are asked again, with what is still barred; nothing is added before."""
    theatre = a_scale_up()
    machine(theatre, "demo-1").closed.add(("10.0.0.4", 2380))
    await theatre.approved()
    await theatre.work()
    assert theatre.run.asked is not None
    theatre.report()
    pen = await theatre.work()
    assert any("from demo-1 to 10.0.0.4:2380 (no answer within 3 s)" in each for each in pen.said)
    assert len(theatre.members()) == 3
    machine(theatre, "demo-1").closed.clear()
    theatre.report()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


async def test_a_host_that_is_called_by_a_name() -> None:
    """Its etcd would not start: it listens on addresses. The one it replaces would be gone then."""
    facts = another_spare("demo-5", "demo-5.example.com")
    words = (
        "demo-5 cannot get a member: demo-5.example.com is a name, and etcd listens on IP "
        "addresses only: give its IP address as `clusters.demo.hosts.demo-5.address`"
    )
    with pytest.raises(QuorumbotError) as caught:
        await planned(a_scale_up(facts, "demo-5"))
    assert words in str(caught.value)
