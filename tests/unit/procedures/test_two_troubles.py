"""More than one trouble at once: a refusal that says what to do, or a run that comes to its end."""

import re
from typing import cast

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import Say
from procedures.model.errors import Refused
from procedures.model.events import Resumed
from procedures.model.ids import MemberName
from procedures.model.probe import Fault, FaultKind
from procedures.model.run import State
from tests.support.lost_cluster import lose
from tests.support.masters import all_around
from tests.support.noting import carried_out
from tests.support.theatre import ALICE, Theatre
from tests.unit.procedures.plans.case import Case, Facts, made, planned
from tests.unit.procedures.plans.facts.members import both, down, learner, never_started

KEPT = "demo-20231113T221320Z-90-6742c4a60b5d"


def full(name: str) -> Facts:
    """Let a member have raised NOSPACE."""
    return lambda theatre: theatre.sight.demo.raise_alarm(MemberName(name))


def closed(name: str, kind: FaultKind, message: str) -> Facts:
    """Let a host be there, and let nobody in."""

    def act(theatre: Theatre) -> None:
        theatre.sight.hosts.machines[name].fault = Fault(kind, message)

    return act


@pytest.mark.parametrize("target", ["demo-4", "demo-1"])
async def test_one_of_five_goes_while_another_is_dead(target: str) -> None:
    """Nothing waits for the dead one, so that all that follows on the removal is done too."""
    theatre = made(Case("etcd member remove", {"member": target}, down("demo-4", "demo-5"), 5))
    if target == "demo-1":
        theatre = made(Case("etcd member remove", {"member": target}, down("demo-5"), 5))
    found = await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert target not in theatre.members()
    assert target not in theatre.expected()
    assert any("so not waited for: demo-5." in each for each in found.plan.facts)


async def test_flannel_is_not_restarted_under_the_last_members_of_a_quorum() -> None:
    """Three of four are left, and one of them would restart with it: it waits (R10)."""
    facts = both(all_around, down("demo-4", "demo-5"))
    theatre = made(Case("etcd member remove", {"member": "demo-4"}, facts, 5))
    found = await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    told = [each for each in found.hosts.told if "flanneld.service" in each.argv]
    assert {each.host for each in told}.isdisjoint(theatre.members())
    words = "Flannel on demo-2 is left as it is: a member would restart with it, and demo-5 is not"
    assert any(each.startswith(words) for each in found.plan.facts)


async def test_an_addition_that_the_cluster_does_not_wait_for_can_be_taken_back() -> None:
    """Where one is only not seen from here, there is quorum."""

    def unseen(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.BLACKHOLED

    with pytest.raises(Refused, match=r"take the addition back with /etcd member remove a004"):
        await planned(made(Case("etcd scale-up", {}, both(never_started, unseen))))


async def test_a_dead_learner_is_replaced_by_one_that_votes_in_the_end() -> None:
    """So there is one voter more than before, and the plan says so."""

    def dead(theatre: Theatre) -> None:
        learner("demo-9")(theatre)
        theatre.sight.demo.members[MemberName("demo-9")].condition = Condition.STOPPED

    theatre = made(Case("etcd replace", {"member": "demo-9", "with_": "demo-4"}, dead))
    found = await carried_out(theatre)
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert found.plan.facts[0].endswith("afterwards 4 of 4, tolerance 1.")
    assert len(theatre.sight.demo.voters) == 4


async def test_two_dead_of_five_are_replaced_in_the_order_that_refusals_tell() -> None:
    """Remove one; then the other can be replaced."""
    both_dead = down("demo-4", "demo-5")
    with pytest.raises(Refused, match=r"Bring demo-5 back .* by /etcd member remove, and comes"):
        await planned(made(Case("etcd replace", {"member": "demo-4"}, both_dead, 5)))
    theatre = made(Case("etcd member remove", {"member": "demo-5"}, both_dead, 5))
    await carried_out(theatre)
    again = made(Case("etcd replace", {"member": "demo-4", "with_": "demo-6"}, size=5))
    again.sight = theatre.sight
    again.sight.hosts.effects = again.effects
    for machine in again.sight.hosts.machines.values():
        machine.forgotten.clear()  # both runs have the same id here
    await carried_out(again)
    assert again.run.state is State.SUCCEEDED, again.run.error
    assert set(again.members()) == {"demo-1", "demo-2", "demo-3", "demo-6"}


@pytest.mark.parametrize("procedure", ["etcd member remove", "etcd replace"])
@pytest.mark.parametrize("who", ["demo-1", "demo-3"])
async def test_a_dead_member_while_nothing_can_be_written(procedure: str, who: str) -> None:
    """The check that the cluster takes writes would fail after the member is gone."""
    facts = both(down("demo-3"), full(who))
    with pytest.raises(Refused, match=r"NOSPACE is on, .* \(R15\), .*: /etcd nospace\."):
        await planned(made(Case(procedure, {"member": "demo-3"}, facts)))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (both(down("demo-3"), learner("demo-9")), r"Let it vote with /etcd member promote demo-9"),
        (both(down("demo-3"), never_started), r"a004.* It has a vote, .* Start etcd on its host"),
        (down("demo-2"), r"demo-2 must be healthy first \(R3\)\. Bring demo-2 back first"),
    ],
)
async def test_a_replacement_beside_something_unfinished(facts: Facts, words: str) -> None:
    """It says how that ends."""
    args = {"member": "demo-3", "with_": "demo-4"}
    with pytest.raises(Refused, match=words):
        await planned(made(Case("etcd replace", args, facts)))


@pytest.mark.parametrize(
    ("kind", "message", "words"),
    [
        (FaultKind.TRUST, "Its host key is another one.", r"lets nobody in \(Its host key is an"),
        (FaultKind.DENIED, "sudo asks for a password.", r"lets nobody in \(sudo asks for a pass"),
        (FaultKind.UNREACHABLE, "No connection.", r"The host of demo-3 does not answer, so"),
    ],
)
async def test_why_etcd_is_not_switched_off(kind: FaultKind, message: str, words: str) -> None:
    """A host that lets nobody in is not one without power: its etcd still runs."""
    case = Case("etcd member remove", {"member": "demo-3"}, closed("demo-3", kind, message))
    plan = await planned(made(case))
    assert [each for each in plan.facts if _found(words, each)]


@pytest.mark.parametrize("procedure", ["etcd scale-up", "etcd replace"])
@pytest.mark.parametrize("url", ["https://localhost:2379", "https://127.0.0.1:2379"])
async def test_clients_that_are_told_to_ask_themselves(procedure: str, url: str) -> None:
    """The new member would be told so too, and nobody would see it catch up."""

    def advertised(theatre: Theatre) -> None:
        for machine in theatre.sight.hosts.machines.values():
            files = machine.files
            text = files.text("/etc/etcd/etcd.conf")
            text = re.sub("(?m)^(ETCD_ADVERTISE_CLIENT_URLS=).*$", rf"\1{url}", text)
            files.put("/etc/etcd/etcd.conf", text)

    args = {"member": "demo-3"} if procedure == "etcd replace" else {}
    with pytest.raises(Refused, match=rf"reach demo-4 at {url}, .* ETCD_ADVERTISE_CLIENT_URLS on"):
        await planned(made(Case(procedure, args, advertised)))


@pytest.mark.parametrize("version", ["3.4.23", "3.5.16"])
@pytest.mark.parametrize("procedure", ["etcd scale-up", "etcd replace"])
async def test_no_addition_in_the_middle_of_an_upgrade(procedure: str, version: str) -> None:
    """Whichever of the two minors the host has (R19)."""

    def mixed(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName("demo-2")].version = "3.5.16"

        async def etcd(*given: object) -> int:
            await cast("Say", given[-1])(f"etcd Version: {version}")
            return 0

        theatre.sight.hosts.machines["demo-4"].programs["etcd"] = etcd

    args = {"member": "demo-3"} if procedure == "etcd replace" else {}
    with pytest.raises(Refused, match=r"have etcd 3\.4 and 3\.5: end that upgrade first \(R19\)"):
        await planned(made(Case(procedure, args, mixed)))


@pytest.mark.parametrize(
    ("version", "refused"),
    [
        ("3.4.23", None),
        ("3.5.16", r"it has etcd 3\.5, and members have etcd 3\.4 and 3\.5: install 3\.4, as the"),
        (None, r"etcd is not installed there, and members have etcd 3\.4 and 3\.5: install 3\.4,"),
    ],
)
async def test_a_member_that_an_upgrade_has_killed(
    version: str | None, refused: str | None
) -> None:
    """One failure more would cost the quorum: one of the cluster's minor takes its place (R19)."""

    def half_upgraded(theatre: Theatre) -> None:
        theatre.sight.demo.members[MemberName("demo-2")].version = "3.5.16"
        down("demo-3")(theatre)

        async def etcd(*given: object) -> int:
            if version is None:
                return 127
            await cast("Say", given[-1])(f"etcd Version: {version}")
            return 0

        theatre.sight.hosts.machines["demo-4"].programs["etcd"] = etcd

    theatre = made(Case("etcd replace", {"member": "demo-3"}, half_upgraded))
    if refused is not None:
        with pytest.raises(Refused, match=refused):
            await planned(theatre)
        return
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error


@pytest.mark.parametrize("version", ["3.4.23", "3.5.16"])
async def test_the_last_of_the_old_minor_is_to_go(version: str) -> None:
    """Cut off from the others, it still tells its version; without it the cluster is of the new."""

    def all_but_one_upgraded(theatre: Theatre) -> None:
        for name in ("demo-1", "demo-2"):
            theatre.sight.demo.members[MemberName(name)].version = "3.5.16"
        theatre.sight.demo.members[MemberName("demo-3")].apart = True

        async def etcd(*given: object) -> int:
            await cast("Say", given[-1])(f"etcd Version: {version}")
            return 0

        theatre.sight.hosts.machines["demo-4"].programs["etcd"] = etcd

    theatre = made(Case("etcd replace", {"member": "demo-3"}, all_but_one_upgraded))
    if version == "3.5.16":
        assert (await planned(theatre)).steps
        return
    words = r"it has etcd 3\.4, and the cluster etcd 3\.5: install that \(R19\)"
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_leadership_that_comes_back() -> None:
    """Nobody is removed, and it is said by what leadership moves; then the run comes to its end."""
    theatre = made(Case("etcd member remove", {"member": "demo-1"}))
    await theatre.approved()
    demo, one = theatre.sight.demo, MemberName("demo-1")

    def back() -> None:
        if any(each.startswith("lead") for each in theatre.effects):
            demo.hand_over(demo.members[one])

    theatre.sight.clock.on_sleep = back
    await theatre.work()
    assert "Move leadership with /etcd move-leader, then resume." in str(theatre.run.error)
    assert one in demo.members
    theatre.sight.clock.on_sleep = lambda: None
    demo.hand_over(demo.members[MemberName("demo-2")])
    theatre.append(Resumed(ALICE))
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert one not in demo.members


def added_by_hand(theatre: Theatre) -> None:
    """Let somebody have added a voter, and left it at that; there is a snapshot."""
    off = [each.name for each in theatre.sight.demo.members.values() if not each.works]
    lose(theatre, *off, off=off)
    never_started(theatre)


LOST = [(1, ()), (3, ("demo-3",))]
"""A cluster of one, in which the second vote stops all; and one of three with a dead member."""


@pytest.mark.parametrize(("size", "dead"), LOST)
@pytest.mark.parametrize("args", [{}, {"snapshot": KEPT}])
async def test_a_vote_that_nobody_uses_is_no_reason_to_restore(
    size: int, dead: tuple[str, ...], args: dict[str, str | bool]
) -> None:
    """Its first start brings quorum back, and nothing is lost (R6, R14)."""
    facts = both(down(*dead), added_by_hand)
    theatre = made(Case("etcd restore", args, facts, size))
    with pytest.raises(Refused, match=r"never started\..* so nothing is lost \(R6\)\. Start etcd"):
        await planned(theatre)


@pytest.mark.parametrize(("size", "dead"), LOST)
async def test_nor_is_it_taken_back_without_quorum(size: int, dead: tuple[str, ...]) -> None:
    """Who asks for that is told to start it, and not to restore."""
    facts = both(down(*dead), added_by_hand)
    with pytest.raises(Refused, match=r"\(R14\)\. a00\d .* Start etcd there, with") as why:
        await planned(made(Case("etcd member remove", {"unused": True}, facts, size)))
    assert "restore" not in str(why.value)


async def test_two_dead_are_lost_whoever_was_added() -> None:
    """One start would not help: two of five votes."""
    facts = both(down("demo-2", "demo-3"), added_by_hand)
    await planned(made(Case("etcd restore", {"snapshot": KEPT}, facts)))


async def test_who_can_never_start_it_may_still_restore() -> None:
    """What is there is the newest, and is given up by name only."""
    facts = both(down("demo-3"), added_by_hand)
    args: dict[str, str | bool] = {"snapshot": KEPT, "data_is_bad": True}
    await planned(made(Case("etcd restore", args, facts)))


def _found(words: str, text: str) -> bool:
    return re.search(words, text) is not None
