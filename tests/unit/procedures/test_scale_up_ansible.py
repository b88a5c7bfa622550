"""`/etcd scale-up-ansible`: what is refused, and what becomes of a playbook that fails."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say
from procedures.actions.host.run_playbook import RunPlaybook
from procedures.model.ansible import PLAYBOOK_RUNS, names_in
from procedures.model.errors import QuorumbotError
from procedures.model.events import CancelAsked
from procedures.model.host import At
from procedures.model.ids import ClusterName, MemberName
from procedures.model.run import State
from tests.support.ansibles import INVENTORY, PLAYBOOK, PLAYBOOKS, Ends, listing, with_ansible
from tests.support.script import Script
from tests.support.sight import a_sight
from tests.support.theatre import BOB, Pen, Theatre, a_theatre

DEMO = ClusterName("demo")
Facts = Callable[[Theatre], None]


def a_run(facts: Facts, size: int = 3) -> Theatre:
    theatre = a_theatre("etcd scale-up-ansible", {"host": "demo-4"} if size == 3 else {}, size)
    facts(theatre)
    return theatre


def both(*facts: Facts) -> Facts:
    def act(theatre: Theatre) -> None:
        for each in facts:
            each(theatre)

    return act


def without(path: str) -> Facts:
    """Let a file not be there."""
    return lambda theatre: theatre.sight.hosts.machines["demo-2"].files.remove(path)


def without_ansible(theatre: Theatre) -> None:
    del theatre.sight.hosts.machines["demo-2"].programs["ansible-playbook"]


def off(name: str) -> Facts:
    return lambda theatre: theatre.sight.hosts.machines[name].cut_off()


def down(theatre: Theatre) -> None:
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.STOPPED


def with_data(theatre: Theatre) -> None:
    theatre.sight.hosts.machines["demo-4"].files.folder("/var/lib/etcd/member")


def never_started(theatre: Theatre) -> None:
    member = theatre.sight.demo.add(MemberName("demo-4"), "https://10.0.0.4:2379", started=False)
    member.peer_urls = ("https://10.0.0.4:2380",)


def busy(theatre: Theatre) -> None:
    """Let another playbook run."""
    machine = theatre.sight.hosts.machines["demo-2"]
    unit = replace(machine.units["etcd.service"], active="active")
    machine.units[PLAYBOOK_RUNS[-1]] = unit


ALL = listing("demo-1", "demo-2", "demo-3")
REFUSALS: dict[str, tuple[Facts, str]] = {
    "no word of Ansible": (
        lambda _: None,
        r"name it in `clusters\.demo\.ansible`\.",
    ),
    "no Ansible": (
        both(with_ansible(), without_ansible),
        "demo-2 has no ansible-playbook",
    ),
    "no playbook": (both(with_ansible(), without(PLAYBOOK)), rf"demo-2 has no {PLAYBOOK}: say in"),
    "no inventory": (both(with_ansible(), without(INVENTORY)), rf"demo-2 has no {INVENTORY}: say"),
    "its host is off": (both(with_ansible(), off("demo-2")), "demo-2 cannot be reached, so"),
    "the new host is off": (both(with_ansible(), off("demo-4")), "demo-4 cannot be reached, so"),
    "a member is down": (both(with_ansible(), down), r"demo-3 must be healthy first \(R3\)"),
    "half an attempt": (both(with_ansible(), never_started), r"has never started \(R5\)"),
    "another playbook": (both(with_ansible(), busy), r"A playbook runs on demo-2 \(R22\)"),
    "data of a member": (
        both(with_ansible(), with_data),
        r"\(/etcd retire demo-4 moves it",
    ),
    "others to be added": (
        with_ansible(text=f"{ALL}[new_etcd]\ndemo-40\n"),
        r"\[new_etcd\] lists demo-40 too, and the playbook would add them",
    ),
    "a new node": (
        with_ansible(text=f"{ALL}[new_nodes]\ndemo-4\n"),
        r"\[new_nodes\] lists demo-4 too, which the playbook refuses",
    ),
    "one that is listed": (
        with_ansible("demo-1", "demo-2", "demo-3", "demo-4"),
        r"\[etcd\] lists demo-4 already",
    ),
    "a name that may be two": (
        with_ansible(text=f"{ALL}demo-1 ansible_host=10.0.0.3\n"),
        "because demo-1 may be demo-1 and demo-3",
    ),
    "a range": (with_ansible(text="[etcd]\ndemo-[1:3]\n"), r"the range demo-\[1:3\]"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """With what would satisfy it; nothing is asked of anybody then."""
    facts, why = REFUSALS[name]
    with pytest.raises(QuorumbotError, match=why):
        await a_run(facts).approved()


async def test_from_one_member() -> None:
    """The playbook adds a voter, for whom all writes would wait. (R6)"""
    with pytest.raises(QuorumbotError, match=r"\(R6\)\. /etcd scale-up demo-2 adds a learner"):
        await a_run(with_ansible("demo-1", on="demo-1"), size=1).approved()


def inventory(theatre: Theatre) -> str:
    return theatre.sight.hosts.machines["demo-2"].files.text(INVENTORY)


def played(theatre: Theatre) -> list[str]:
    return [each for each in theatre.effects if "ansible-playbook" in each]


async def worked(facts: Facts) -> tuple[Theatre, Pen]:
    theatre = a_run(facts)
    await theatre.approved()
    return theatre, await theatre.work()


async def test_a_host_gets_a_member() -> None:
    """The inventory lists it as the others, its output is seen, and it is expected."""
    theatre, pen = await worked(with_ansible())
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert names_in(inventory(theatre), "etcd") == ("demo-1", "demo-2", "demo-3", "demo-4")
    assert names_in(inventory(theatre), "new_etcd") == ()
    assert {"PLAY [Configure etcd on demo-4] ***", "PLAY RECAP ***"} <= set(pen.said)
    assert theatre.expected()["demo-4"] == "https://10.0.0.4:2379"
    config = f"ANSIBLE_CONFIG={PLAYBOOKS}/ansible.cfg"
    assert [config in each and PLAYBOOK in each for each in played(theatre)] == [True]


async def test_a_stranger_in_the_inventory() -> None:
    """The playbook works there too, which people are to know."""
    theatre = a_run(with_ansible("demo-1", "demo-2", "demo-3", "demo-30"))
    await theatre.approved()
    plan = theatre.run.plan
    assert plan is not None
    assert any(each.startswith("[etcd] lists demo-30, of whom") for each in plan.facts)


async def test_as_in_releases_before_3_9() -> None:
    """The playbook had another place, and there need be no settings."""

    def older(theatre: Theatre) -> None:
        files = theatre.sight.hosts.machines["demo-2"].files
        files.remove(PLAYBOOK)
        files.remove(f"{PLAYBOOKS}/ansible.cfg")
        files.put(f"{PLAYBOOKS}/playbooks/byo/openshift-etcd/scaleup.yml", "-")

    theatre, _ = await worked(both(with_ansible(), older))
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert "/byo/" in played(theatre)[0]
    assert "ANSIBLE_CONFIG" not in played(theatre)[0]


ENDS = {
    Ends.EARLY: "ended with status 2. No member was added. Read what it printed; demo-4 stays",
    Ends.HALF: "It has added member a004, peer https://10.0.0.4:2380, which has never started (R5)",
    Ends.SILENT: "The playbook ended with status 0. No member was added.",
    Ends.DARK: "has quorum behind it now, so that nobody can tell whether one was added.",
}


@pytest.mark.parametrize("ends", ENDS)
async def test_a_playbook_that_does_not_end_well(ends: Ends) -> None:
    """The run fails with what is there now; the playbook was run once."""
    theatre, _ = await worked(with_ansible(ends=ends))
    assert theatre.run.state is State.FAILED
    assert ENDS[ends] in (theatre.run.error or "")
    assert len(played(theatre)) == 1
    assert names_in(inventory(theatre), "new_etcd") == ("demo-4",)


async def test_asking_again_after_one_that_added_nothing() -> None:
    """What is announced in the inventory is not announced again."""
    theatre, _ = await worked(with_ansible(ends=Ends.EARLY))
    with_ansible(text=inventory(theatre))(theatre)
    again = Theatre("etcd scale-up-ansible", {"host": "demo-4"}, theatre.sight)
    await again.approved()
    plan = again.run.plan
    assert plan is not None
    assert [step.title for step in plan.steps[:2]] == [
        "Save and verify a snapshot",
        "Run the playbook",
    ]


async def cut_off_while_it_runs(ends: Ends) -> Theatre:
    """A run whose worker was lost as soon as the playbook had begun."""
    for point in range(100):
        theatre = a_run(with_ansible(ends=ends))
        await theatre.approved()
        await theatre.work(Script(crash_at=point))
        if played(theatre):
            return theatre
    raise AssertionError(ends)


@pytest.mark.parametrize("ends", ENDS)
async def test_a_playbook_that_ended_while_nobody_followed(ends: Ends) -> None:
    """It is not run again: people decide, and are told what the member list has."""
    theatre = await cut_off_while_it_runs(ends)
    await theatre.work()
    assert theatre.run.state is State.IN_DOUBT, theatre.run.error
    assert theatre.run.doubt is not None
    assert "is not run again unasked" in theatre.run.doubt.error
    assert len(played(theatre)) == 1


async def test_a_cluster_that_is_not_well_any_more() -> None:
    """It is looked at right before, and the playbook is not run."""
    theatre = a_run(with_ansible())
    await theatre.approved()
    down(theatre)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert played(theatre) == []


async def test_another_playbook_runs_by_now() -> None:
    """Two at once would write the same files (R22)."""
    theatre = a_run(with_ansible())
    await theatre.approved()
    machine = theatre.sight.hosts.machines["demo-2"]
    before = machine.programs.get("pgrep")

    async def pgrep(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        if argv[-1] == PLAYBOOK_RUNS[-1]:
            return 0
        return await before(machine, argv, stdin, say) if before else 1

    machine.programs["pgrep"] = pgrep
    await theatre.work()
    assert "Another playbook runs on demo-2 (R22). Ask again" in str(theatre.run.error)
    assert played(theatre) == []


async def test_other_members_than_when_it_was_approved() -> None:
    """All of them are well, and it is another cluster (R7)."""
    theatre = a_run(with_ansible())
    await theatre.approved()
    del theatre.sight.demo.members[MemberName("demo-3")]
    await theatre.work()
    assert "when this was approved. The playbook was not run." in str(theatre.run.error)
    assert played(theatre) == []


@pytest.mark.parametrize(("name", "ours"), [("demo-3", True), ("demo-30", False)])
async def test_a_member_that_was_not_asked_for(name: str, ours: bool) -> None:
    """One that is called otherwise came from elsewhere, and no success is told of it (R21)."""
    sight = a_sight()
    one, two, _ = sight.demo.members.values()
    at = At("demo-2", "")
    run = RunPlaybook(DEMO, at, INVENTORY, PLAYBOOK, None, at, (name,), (one.id, two.id))
    assert await run._is_well(sight) is ours
    left = await run._left(sight)
    assert left.startswith("A member is there that was not asked for: demo-3") is not ours


async def test_a_playbook_that_somebody_stops() -> None:
    """How far it came nobody can tell: it is gone, in doubt, and not run again unasked."""
    theatre = a_run(with_ansible())
    await theatre.approved()
    machine = theatre.sight.hosts.machines["demo-2"]

    async def env(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        await say("TASK [etcd : Add new etcd members to cluster]")
        theatre.append(CancelAsked(BOB))
        await asyncio.Event().wait()
        return 0

    machine.programs["env"] = env
    pen = await theatre.work()
    assert theatre.run.state is State.IN_DOUBT
    assert theatre.run.doubt is not None
    assert "The playbook ended with status 143" in theatre.run.doubt.error
    assert "No member was added." in theatre.run.doubt.error
    assert "demo-2: nothing of it runs any more" in pen.said
