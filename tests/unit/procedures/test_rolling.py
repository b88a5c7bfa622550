"""Restarts one after another: the leader comes last; an outage is accepted by name. (R9, R10)"""

from collections.abc import Callable, Mapping

import pytest

from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.model import certificate
from procedures.model.errors import Refused
from procedures.model.ids import MemberName
from procedures.model.plan import Plan
from procedures.model.run import State
from tests.support.certified import certified
from tests.support.furnishing import spoiled
from tests.support.rhel import on_rhel
from tests.support.script import Script
from tests.support.theatre import Theatre, a_theatre

Facts = Callable[[Theatre], None]
RESTARTING: dict[str, tuple[Mapping[str, str], Facts]] = {
    "etcd restart": ({}, lambda _: None),
    "etcd certs renew": ({}, certified()),
    "etcd restore config": ({"member": "demo-1"}, lambda theatre: spoiled(theatre, "demo-1")),
    "host rhsm-update": ({}, on_rhel()),
}
ROLLING = ("etcd restart", "etcd certs renew", "host rhsm-update")


def made(procedure: str, size: int = 3, *, outage: bool = False) -> Theatre:
    args, facts = RESTARTING[procedure]
    theatre = a_theatre(procedure, {**args, **({"outage": True} if outage else {})}, size)
    facts(theatre)
    return theatre


async def planned(theatre: Theatre) -> Plan:
    request = theatre.run.request
    return await draft(PROCEDURES[request.command], request, theatre.sight)


async def carried_out(theatre: Theatre) -> list[str]:
    """Approve and work; give who was made the leader, in turn."""
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    return [each.removeprefix("lead ") for each in theatre.effects if each.startswith("lead ")]


def led_by(theatre: Theatre, name: str) -> Theatre:
    theatre.sight.demo.hand_over(theatre.sight.demo.members[MemberName(name)])
    return theatre


@pytest.mark.parametrize("procedure", ROLLING)
@pytest.mark.parametrize(("leader", "moves"), [("demo-1", 2), ("demo-2", 2), ("demo-3", 1)])
async def test_the_leader_comes_last(procedure: str, leader: str, moves: int) -> None:
    """Whoever leads hands over to the last one, so that leadership moves twice at most."""
    theatre = led_by(made(procedure), leader)
    heirs = await carried_out(theatre)
    assert len(heirs) == moves
    assert heirs[:-1] == ["a003"] * (moves - 1)
    assert heirs[-1] != "a003"


async def test_the_plan_is_the_same_whoever_leads() -> None:
    """An election between the plan and its approval voids no vote."""
    digests = {
        (await planned(led_by(made("etcd restart"), name))).digest
        for name in ("demo-1", "demo-2", "demo-3")
    }
    assert len(digests) == 1


async def test_who_is_last_is_not_healthy_when_it_is_to_lead() -> None:
    """Then anybody else takes over, as without a wish."""
    theatre = made("etcd restart")
    await theatre.approved()
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    await theatre.work()
    assert [each for each in theatre.effects if each.startswith("lead ")] == ["lead a002"]
    assert "it would leave 1 healthy of 3, quorum 2 (R10)" in str(theatre.run.error)


async def test_a_learner_never_leads() -> None:
    """The last voter does."""
    theatre = made("etcd restart")
    theatre.sight.demo.add(MemberName("demo-4"), "https://127.0.0.1:2390", learner=True)
    commands = [step.command for step in (await planned(theatre)).steps]
    assert any("if a002 leads: etcdctl move-leader a003, or" in each for each in commands)
    assert not any("move-leader a004" in each for each in commands)


async def test_of_those_that_are_up_the_last_leads() -> None:
    """Who is down comes first, and leads nobody."""
    theatre = made("etcd restart")
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED
    commands = [step.command for step in (await planned(theatre)).steps]
    assert sum("move-leader a002, or" in each for each in commands) == 2


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("procedure", RESTARTING)
async def test_nobody_can_be_spared(procedure: str, size: int) -> None:
    """Of one or two, a restart is an outage; the refusal names what accepts it."""
    theatre = made(procedure, size)
    why = rf"it would leave {size - 1} healthy of {size}, quorum {size} \(R10\)\. Say --outage"
    with pytest.raises(Refused, match=why):
        await planned(theatre)


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("procedure", RESTARTING)
async def test_an_outage_that_is_accepted(procedure: str, size: int) -> None:
    """All is done then, and people have approved that nobody serves meanwhile."""
    theatre = made(procedure, size, outage=True)
    await carried_out(theatre)
    assert theatre.run.plan is not None
    words = "While demo-1 (a001) restarts, nobody serves demo: --outage accepts that (R10)."
    assert words in theatre.run.plan.facts
    assert theatre.run.plan.args["outage"] is True
    assert theatre.units()["demo-1"][1] > 0


async def test_the_only_member_has_new_certificates() -> None:
    """By the same CA, and it shows them."""
    theatre = made("etcd certs renew", 1, outage=True)
    files = theatre.sight.hosts.machines["demo-1"].files
    before = certificate.read(files.file("/etc/etcd/peer.crt").content)
    await carried_out(theatre)
    now = certificate.read(files.file("/etc/etcd/peer.crt").content)
    assert before is not None
    assert now is not None
    assert (now.issuer, now.key == before.key) == (before.issuer, False)


async def test_of_three_nobody_accepts_an_outage() -> None:
    """Who is down can be brought back first, and then there is none."""
    theatre = a_theatre("etcd restart", {"member": "demo-1", "outage": True})
    theatre.sight.demo.members[MemberName("demo-2")].condition = Condition.STOPPED
    with pytest.raises(Refused, match=r"quorum 2 \(R10\)\. Bring the others back first\.$"):
        await planned(theatre)


async def test_one_of_two_is_not_healthy() -> None:
    """An outage is accepted for a cluster that is well, not for one that may not come back."""
    theatre = made("etcd restart", 2, outage=True)
    theatre.sight.demo.raise_alarm(MemberName("demo-2"))
    with pytest.raises(Refused, match=r"--outage accepts that, once demo-2 is healthy\."):
        await planned(theatre)


async def test_it_is_not_healthy_any_more_right_before() -> None:
    """The same rule holds when the step begins."""
    theatre = made("etcd restart", 1, outage=True)
    await theatre.approved()
    theatre.sight.demo.raise_alarm(MemberName("demo-1"))
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "it would leave 0 healthy of 1, quorum 1 (R10)" in str(theatre.run.error)
    assert theatre.units()["demo-1"] == ("active", 0)


@pytest.mark.parametrize("size", [1, 2])
async def test_a_crash_at_any_point_of_an_outage(size: int) -> None:
    """Another worker starts what is stopped; nothing is restarted twice."""
    script = Script()
    theatre = made("etcd restart", size, outage=True)
    await theatre.approved()
    await theatre.work(script)
    for point in range(script.passed):
        theatre = made("etcd restart", size, outage=True)
        await theatre.approved()
        await theatre.work(Script(crash_at=point))
        if not theatre.run.state.final:
            await theatre.work()
        assert theatre.run.state is State.SUCCEEDED, (point, theatre.run.error)
        starts = [unit[1] for name, unit in theatre.units().items() if unit[0] == "active"]
        assert starts == [1] * size, point


async def test_where_nobody_answers_people_start_it_by_hand() -> None:
    """After a power failure all data may be there: on hosts of members only, and no restore yet."""
    theatre = made("etcd restart")
    for member in theatre.sight.demo.members.values():
        member.condition = Condition.STOPPED
    words = (
        r"No member of demo gave a member list\. .* start it by hand: `systemctl start "
        r"etcd\.service` on demo-1 and demo-2 and demo-3\. That loses nothing; a restore does\.$"
    )
    with pytest.raises(Refused, match=words):
        await planned(theatre)
