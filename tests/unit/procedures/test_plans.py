"""Each procedure's plan, as an SRE reads it, from facts; the files in `golden` are what is right.

After a wanted change: `QUORUMBOT_GOLDEN=write ./test unit -k test_a_plan_reads_as_before`, and
read the difference.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.run_words import plan_lines
from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.etcd.fragmentation import MIB
from procedures.model.errors import QuorumbotError, Refused
from procedures.model.events import Planned
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName, RunId, hex_id
from procedures.model.inventory import Platform
from procedures.model.plan import Plan
from procedures.model.probe import Alarm
from tests.support.ansibles import SECRET, with_ansible
from tests.support.certified import certified
from tests.support.furnishing import at_home, short_of_entropy, spoiled, unkept
from tests.support.lost_cluster import Tools, lose
from tests.support.masters import all_around, with_flannel, with_masters
from tests.support.platforms import on_kubespray, with_static_pods
from tests.support.rhel import on_rhel
from tests.support.theatre import Theatre, a_theatre

GOLDEN = Path(__file__).parent / "golden"


Facts = Callable[[Theatre], None]


@dataclass(frozen=True)
class Case:
    """A request, and the cluster as it is when somebody asks."""

    procedure: str
    args: Mapping[str, str | bool] = field(default_factory=dict)
    facts: Callable[[Theatre], None] = field(default=lambda _: None)
    size: int = 3


def down(*names: str) -> Callable[[Theatre], None]:
    """Let members be down."""

    def act(theatre: Theatre) -> None:
        for name in names:
            theatre.sight.demo.members[MemberName(name)].condition = Condition.STOPPED

    return act


def lost(
    *names: str, off: tuple[str, ...] = (), on: Platform = Platform.ETCD
) -> Callable[[Theatre], None]:
    """Let a cluster with a snapshot lose these members, and the hosts that are `off`."""
    tools = Tools("3.5.16", ("etcd", "etcdctl", "etcdutl"), bumps=True, restores=("etcdutl",))

    def act(theatre: Theatre) -> None:
        lose(theatre, *names, off=off, platform=on, tools=tools if on is KUBESPRAY else None)

    return act


def with_v2(*down: str, off: tuple[str, ...] = ()) -> Callable[[Theatre], None]:
    """Let a cluster have a v2 store, and an archive of it; and lose these members."""

    def act(theatre: Theatre) -> None:
        lose(theatre, *down, off=off, tools=Tools(v2=("/net", "/registry")))

    return act


GONE = ("https://demo-1:2380", "https://demo-3:2382", "https://demo-10:2379")
KEPT = "demo-20231113T221320Z-90-6742c4a60b5d"
ALL, KUBESPRAY = ("demo-1", "demo-2", "demo-3"), Platform.KUBESPRAY


def fragmented(theatre: Theatre) -> None:
    """Let all members have free space, much of it."""
    for member in theatre.sight.demo.members.values():
        member.db_size, member.db_size_in_use = 300 * MIB, 30 * MIB


def learner(name: str = "demo-4", *, behind: int = 0) -> Callable[[Theatre], None]:
    """Let a learner be there, as many entries behind the leader."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.add(
            MemberName(name), "https://127.0.0.1:2390", learner=True
        ).raft_behind = behind

    return act


def without_space(*names: str) -> Callable[[Theatre], None]:
    """Let members have raised NOSPACE, and some be down."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.raise_alarm(MemberName("demo-1"))
        down(*names)(theatre)

    return act


def recorded(**urls: str) -> Callable[[Theatre], None]:
    """Let a run have recorded who is expected."""

    def act(theatre: Theatre) -> None:
        members = {MemberName(name.replace("_", "-")): url for name, url in urls.items()}
        expect(theatre, Expected(members, 3, RunId("r-00000009")))

    return act


def unbelieved(theatre: Theatre) -> None:
    """Let there be a record that is not believed."""
    expect(theatre, Expected(fault="its signature is not worker-1's"))


def expect(theatre: Theatre, expected: Expected) -> None:
    theatre.sight.inventory = theatre.sight.inventory.expecting(ClusterName("demo"), expected)


def gone(name: str) -> Callable[[Theatre], None]:
    """Let somebody have removed a member by hand."""

    def act(theatre: Theatre) -> None:
        del theatre.sight.demo.members[MemberName(name)]

    return act


def added(name: str, *, started: bool = True, url: str = "https://10.0.0.9:2379") -> Facts:
    """Let somebody have added a member by hand."""

    def act(theatre: Theatre) -> None:
        theatre.sight.demo.add(MemberName(name), url, started=started)

    return act


def corrupt(theatre: Theatre) -> None:
    """Let two alarms be on."""
    theatre.sight.demo.raise_alarm(MemberName("demo-1"))
    theatre.sight.demo.raise_alarm(MemberName("demo-2"), "CORRUPT")


def differing(*names: str, alarm: bool = True, on: str = "demo-3") -> Facts:
    """Let each of these hold data of its own, and the alarm name one; each is where its host is."""

    def act(theatre: Theatre) -> None:
        demo = theatre.sight.demo
        for number, name in enumerate(names, start=1):
            demo.members[MemberName(name)].hash = number
        at_home(theatre)
        if alarm:
            demo.raise_alarm(MemberName(on), "CORRUPT")

    return act


def stopped_itself(theatre: Theatre) -> None:
    """Let a member have found at its start that its data differs: it ends then."""
    differing()(theatre)
    down("demo-3")(theatre)


def far_off(theatre: Theatre) -> None:
    """Let a clock that nothing keeps right be behind."""
    unkept(theatre)
    theatre.sight.hosts.machines["demo-2"].clock_off_ms = -12_000


def without_service(theatre: Theatre) -> None:
    """Let a machine have none for its clock."""
    theatre.sight.hosts.machines["demo-2"].synchronised = False


def in_vain(theatre: Theatre) -> None:
    """Let a machine's time service run, and reach no server."""
    unkept(theatre)
    machine = theatre.sight.hosts.machines["demo-2"]
    machine.units["ntpd.service"].active = "active"
    theatre.sight.hosts.machines["demo-3"].synchronised = True


def off(*names: str) -> Callable[[Theatre], None]:
    """Let hosts be without power."""

    def act(theatre: Theatre) -> None:
        for name in names:
            theatre.sight.hosts.machines[name].power_off()

    return act


def barred(address: str, port: int) -> Facts:
    """Let a firewall let nothing through to a port."""

    def act(theatre: Theatre) -> None:
        for machine in theatre.sight.hosts.machines.values():
            machine.closed.add((address, port))

    return act


def unreached(*names: str) -> Callable[[Theatre], None]:
    """Let nobody reach hosts, while their members go on."""

    def act(theatre: Theatre) -> None:
        for name in names:
            theatre.sight.hosts.machines[name].cut_off()

    return act


def left_behind(theatre: Theatre) -> None:
    """Let an earlier attempt have left data on the spare."""
    files = theatre.sight.hosts.machines["demo-4"].files
    files.folder("/var/lib/etcd/member")
    files.folder("/var/lib/etcd/member.quorumbot-1")


def never_started(theatre: Theatre) -> None:
    """Let somebody have added a member for a host, and left it at that."""
    member = theatre.sight.demo.add(MemberName("demo-4"), "https://10.0.0.4:2379", started=False)
    member.peer_urls = ("https://10.0.0.4:2380",)


def without_hosts(theatre: Theatre) -> None:
    """Let the configuration name no hosts."""
    cluster = replace(theatre.sight.inventory.clusters[ClusterName("demo")], hosts=(), ssh=None)
    theatre.sight.inventory = replace(
        theatre.sight.inventory, clusters={ClusterName("demo"): cluster}
    )


ADD = {"name": "demo-4", "peer_url": "https://10.0.0.4:2380"}
FIX = {"member": "demo-1", "url": "https://10.9.9.9:2380"}
CASES = {
    "etcd-backup": Case("etcd backup"),
    "etcd-backup-config": Case("etcd backup config"),
    "etcd-backup-config-one-off": Case("etcd backup config", {}, off("demo-2")),
    "etcd-backup-v2": Case("etcd backup v2", {}, with_v2()),
    "etcd-drill": Case("etcd drill", {}, lost()),
    "etcd-backup-without-quorum": Case("etcd backup", {}, down("demo-1", "demo-2")),
    "etcd-member-remove-failed": Case("etcd member remove", {"member": "demo-3"}, down("demo-3")),
    "etcd-member-remove-healthy": Case("etcd member remove", {"member": "demo-3"}),
    "etcd-member-remove-without-hosts": Case(
        "etcd member remove", {"member": "demo-3"}, without_hosts
    ),
    "etcd-member-remove-host-off": Case(
        "etcd member remove", {"member": "demo-3"}, unreached("demo-3", "demo-1")
    ),
    "etcd-member-remove-unused": Case("etcd member remove", {"member": "a004"}, never_started),
    "etcd-member-remove-to-one": Case(
        "etcd member remove", {"member": "demo-2", "to_one": True}, size=2
    ),
    "etcd-replace-failed": Case("etcd replace", {"member": "demo-3"}, down("demo-3")),
    "etcd-replace-healthy": Case("etcd replace", {"member": "demo-1", "with_": "demo-4"}),
    "etcd-scale-up": Case("etcd scale-up"),
    "etcd-scale-up-around": Case("etcd scale-up", {"host": "demo-4"}, all_around),
    "etcd-scale-up-from-one": Case("etcd scale-up", {"host": "demo-2"}, size=1),
    "etcd-scale-up-behind-a-firewall": Case("etcd scale-up", {}, barred("10.0.0.4", 2380)),
    "etcd-scale-up-kubespray": Case("etcd scale-up", {}, on_kubespray),
    "etcd-scale-up-static-pods": Case("etcd scale-up", {}, with_static_pods),
    "etcd-scale-up-data-left": Case("etcd scale-up", {"host": "demo-4"}, left_behind),
    "etcd-replace-corrupt": Case("etcd replace-corrupt", {"member": "demo-3"}, differing("demo-3")),
    "etcd-replace-corrupt-no-alarm": Case(
        "etcd replace-corrupt", {"member": "demo-3"}, differing("demo-3", alarm=False)
    ),
    "etcd-replace-corrupt-down": Case("etcd replace-corrupt", {"member": "demo-3"}, stopped_itself),
    "host-clock-fix": Case("host clock fix", {}, unkept),
    "host-entropy-fix": Case("host entropy fix", {}, short_of_entropy),
    "etcd-retire": Case("etcd retire", {"host": "demo-4"}),
    "etcd-member-remove-unexpected": Case(
        "etcd member remove", {"member": "demo-3"}, recorded(demo_1="https://127.0.0.1:2380")
    ),
    "etcd-expect": Case("etcd expect", {}, gone("demo-3")),
    "etcd-expect-given": Case(
        "etcd expect", {"members": "demo-2=https://a:2379,demo-1=https://b"}, down("demo-1")
    ),
    "etcd-expect-recorded": Case(
        "etcd expect",
        {},
        recorded(demo_1="https://127.0.0.1:2380", demo_9="https://10.0.0.9:2379"),
    ),
    "etcd-expect-not-believed": Case("etcd expect", {}, unbelieved),
    "etcd-certs-renew": Case("etcd certs renew", {}, certified()),
    "etcd-certs-renew-kubespray": Case(
        "etcd certs renew", {"host": "demo-2", "days": "365"}, certified(KUBESPRAY)
    ),
    "etcd-certs-issue": Case("etcd certs issue", {"host": "demo-4"}, certified()),
    "etcd-restart": Case("etcd restart"),
    "etcd-restart-one-down": Case("etcd restart", {}, down("demo-3")),
    "etcd-nospace": Case("etcd nospace", {}, without_space()),
    "etcd-nospace-one-down": Case("etcd nospace", {}, without_space("demo-3")),
    "etcd-nospace-alone": Case("etcd nospace", {}, without_space(), size=1),
    "etcd-member-fix-peer-url": Case("etcd member fix-peer-url", FIX),
    "etcd-defrag": Case("etcd defrag", {}, fragmented),
    "etcd-defrag-one": Case("etcd defrag", {"member": "demo-2", "anyway": True}, fragmented),
    "etcd-member-add-learner": Case("etcd member add", ADD),
    "etcd-member-add-voter": Case("etcd member add", {**ADD, "voter": True}),
    "etcd-member-promote": Case("etcd member promote", {"member": "demo-4"}, learner()),
    "etcd-restore-config": Case("etcd restore config", {"member": "demo-2"}, spoiled),
    "etcd-move-leader": Case("etcd move-leader"),
    "etcd-restore": Case("etcd restore", {}, lost("demo-2", "demo-3")),
    "etcd-restore-all-lost": Case("etcd restore", {"on": "demo-2"}, lost(*ALL)),
    "etcd-restore-v2": Case("etcd restore v2", {}, with_v2("demo-2", off=("demo-3",))),
    "etcd-restore-kubespray": Case(
        "etcd restore", {}, lost("demo-1", off=("demo-3",), on=KUBESPRAY)
    ),
    "etcd-restore-static-pods": Case("etcd restore", {}, lost(*ALL, on=Platform.OCP311)),
    "etcd-restore-bad-data": Case(
        "etcd restore", {"data_is_bad": True, "snapshot": KEPT}, lost(on=Platform.OKD3)
    ),
    "master-set-etcd-urls": Case(
        "master set-etcd-urls", {}, with_masters("demo-1", "demo-2", urls=GONE)
    ),
    "master-set-etcd-urls-pods": Case(
        "master set-etcd-urls", {}, with_masters("demo-4", urls=GONE, pods=True)
    ),
    "etcd-member-remove-around": Case("etcd member remove", {"member": "demo-3"}, all_around),
    "etcd-replace-around": Case(
        "etcd replace", {"member": "demo-3", "with_": "demo-4"}, all_around
    ),
    "etcd-member-remove-in-ansible": Case(
        "etcd member remove", {"member": "demo-1"}, with_ansible()
    ),
    "etcd-replace-in-ansible": Case(
        "etcd replace", {"member": "demo-3", "with_": "demo-4"}, with_ansible()
    ),
    "etcd-scale-up-ansible": Case("etcd scale-up-ansible", {"host": "demo-4"}, with_ansible()),
    "etcd-scale-up-in-ansible": Case("etcd scale-up", {}, with_ansible()),
    "host-flannel-set-endpoints": Case(
        "host flannel set-endpoints", {}, with_flannel("demo-1", "demo-4", urls=GONE)
    ),
    "host-rhsm-update": Case("host rhsm-update", {}, on_rhel()),
    "host-rhsm-update-unregistered": Case(
        "host rhsm-update", {}, on_rhel(unregistered=("demo-2",), without_channels=("demo-3",))
    ),
    "etcd-move-leader-alarm": Case("etcd move-leader", {}, without_space()),
    "etcd-move-leader-to": Case("etcd move-leader", {"to": "demo-3"}),
}


def made(case: Case) -> Theatre:
    theatre = a_theatre(case.procedure, case.args, case.size)
    case.facts(theatre)
    return theatre


async def planned(theatre: Theatre) -> Plan:
    request = theatre.run.request
    return await draft(PROCEDURES[request.command], request, theatre.sight)


def test_every_procedure_has_a_plan_here() -> None:
    """None is left out."""
    assert {case.procedure for case in CASES.values()} == set(PROCEDURES)


@pytest.mark.parametrize("name", CASES)
async def test_a_plan_reads_as_before(name: str) -> None:
    """Title, facts, each command, what it waits for, what undoes it, and the digest."""
    theatre = made(CASES[name])
    theatre.append(Planned(await planned(theatre), 2))
    text = "\n".join(plan_lines(theatre.run)) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("QUORUMBOT_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", CASES)
async def test_planning_again_gives_the_same(name: str) -> None:
    """Time, revisions, sizes and who leads may change meanwhile."""
    theatre = made(CASES[name])
    before = await planned(theatre)
    demo = theatre.sight.demo
    theatre.sight.clock.ms += 3_600_000
    demo.revision += 1_000
    demo.raft_index += 1_000
    for member in demo.members.values():
        member.db_size += 1_000_000
    assert (await planned(theatre)).digest == before.digest


UNEDITED: dict[str, tuple[str | None, str]] = {
    "YAML": ("---\nall: {}\n", "because it is YAML, and only INI files are edited."),
    "a range": ("[etcd]\ndemo-[1:3]\n", r"because \[etcd\] has the range demo-\[1:3\]"),
    "an address of another": (
        "[etcd]\ndemo-3 ansible_host=10.0.0.2\n",
        "because demo-3 may be demo-2 and demo-3.",
    ),
    "a host that is off": (None, "because demo-2 does not answer."),
}


@pytest.mark.parametrize("name", UNEDITED)
async def test_an_inventory_that_cannot_be_edited(name: str) -> None:
    """It stays, the removal goes on, and people are told what to do."""
    text, why = UNEDITED[name]
    theatre = made(Case("etcd member remove", {"member": "demo-3"}, with_ansible(text=text)))
    if text is None:
        unreached("demo-2")(theatre)
    plan = await planned(theatre)
    (fact,) = [each for each in plan.facts if "/etc/ansible/hosts" in each]
    assert re.match(rf"/etc/ansible/hosts on demo-2 stays, {why}", fact)
    assert fact.endswith(" Take demo-3 out of [etcd] by hand.")
    assert not any("Ansible" in step.title for step in plan.steps)


async def test_no_password_of_an_inventory_is_in_a_plan() -> None:
    """Neither those of lines that change nor any other. (X18)"""
    plan = await planned(made(CASES["etcd-replace-in-ansible"]))
    assert any("demo-3 ansible_ssh_pass=…" in step.command for step in plan.steps)
    assert SECRET not in repr(plan)


async def test_another_condition_is_another_plan() -> None:
    """A dead member that has come back is not the one whose removal was approved."""
    theatre = made(CASES["etcd-member-remove-failed"])
    before = await planned(theatre)
    theatre.sight.demo.members[MemberName("demo-3")].condition = Condition.RUNNING
    assert (await planned(theatre)).digest != before.digest


REFUSALS = {
    "to expect who is expected": (
        Case("etcd expect"),
        r"expected members of demo are demo-1, demo-2, demo-3 already\. There is nothing to do",
    ),
    "to expect whom nobody lists": (
        Case("etcd expect", {}, down("demo-2", "demo-3")),
        r"No member of demo has quorum behind it, .* \(R14\)",
    ),
    "to expect who never started": (
        Case("etcd expect", {}, added("demo-4", started=False)),
        r"Member a004, peer https://demo-4.invalid:2380, was added and has never started",
    ),
    "to expect who is nowhere": (
        Case("etcd expect", {}, added("demo-4", url="http://10.0.0.9:2379")),
        r"demo-4 says that it is at http://10.0.0.9:2379, and is to be asked by https",
    ),
    "to expect what is no URL": (
        Case("etcd expect", {"members": "demo-1=https://a:2379,demo-2=http://b:2379"}),
        r"'demo-2=http://b:2379' does not say who is where\. Write each member once, as NAME=https",
    ),
    "to expect one member twice": (
        Case("etcd expect", {"members": "demo-1=https://a:2379,demo-1=https://b:2379"}),
        r"'demo-1=https://b:2379' does not say who is where",
    ),
    "to expect two at one place": (
        Case("etcd expect", {"members": "demo-1=https://a:2379,demo-2=https://a:2379"}),
        r"Two of these members have the same URL",
    ),
    "a healthy one while another is down": (
        Case("etcd member remove", {"member": "demo-3"}, down("demo-2")),
        r"it would leave 1 healthy of 2, quorum 2 \(R2\)\. Bring demo-2 back first",
    ),
    "the configuration of hosts without power": (
        Case("etcd backup config", {"member": "demo-2"}, off("demo-2")),
        r"No host can be reached\. Nothing of demo-2 is copied: demo-2 \(10\.0\.0\.2\) cannot",
    ),
    "without quorum": (
        Case("etcd member remove", {"member": "demo-3"}, down("demo-2", "demo-3")),
        r"0 healthy of 3, quorum 2: no change can be committed \(R14\)\. Bring demo-2 and demo-3",
    ),
    "a pair to one": (
        Case("etcd member remove", {"member": "demo-2"}, size=2),
        r"a single member, which may not fail \(R2\)\. Say --to-one",
    ),
    "the only one": (
        Case("etcd member remove", {"member": "demo-1"}, size=1),
        r"demo-1 is the only voter \(R2\)",
    ),
    "nobody of that name": (
        Case("etcd member remove", {"member": "demo-4"}),
        r"There is no member 'demo-4'",
    ),
    "a second voter": (
        Case("etcd member add", {**ADD, "voter": True}, size=1),
        r"a second voter would stop all writes until it starts: add a learner \(R6\)",
    ),
    "a second learner": (
        Case("etcd member add", {**ADD, "name": "demo-5"}, learner()),
        r"demo-4 is still a learner: finish that change first \(R5\)",
    ),
    "an addition while one is down": (
        Case("etcd member add", ADD, down("demo-2")),
        r"demo-2 must be healthy first \(R3\)",
    ),
    "a peer URL that is taken": (
        Case("etcd member add", {**ADD, "peer_url": "https://demo-2.invalid:2380"}),
        r"https://demo-2\.invalid:2380 is the peer URL of demo-2 already",
    ),
    "a name that is taken": (
        Case("etcd member add", {**ADD, "name": "demo-2"}),
        r"demo-2 is the name of member a002 \(healthy\) already",
    ),
    "the name of a dead one": (
        Case("etcd member add", {**ADD, "name": "demo-2"}, down("demo-2")),
        r"member a002 \(down\) already\. Remove that one first \(R4\)",
    ),
    "a name that is none": (
        Case("etcd member add", {**ADD, "name": "a=b,c"}),
        r"'a=b,c' is no name for a member",
    ),
    "the promotion of a voter": (
        Case("etcd member promote", {"member": "demo-2"}),
        r"demo-2 is a voter already \(R6\)",
    ),
    "the promotion of one that lags": (
        Case("etcd member promote", {"member": "demo-4"}, learner(behind=200)),
        r"demo-4 is at entry 300 of the leader's 500, and has to be at 90 % \(R6\)",
    ),
    "no lack of space": (
        Case("etcd nospace"),
        r"No member of demo has raised NOSPACE \(R15\): there is nothing to do",
    ),
    "no space and bad data": (
        Case("etcd nospace", {}, corrupt),
        r"has raised CORRUPT \(R16\)",
    ),
    "no space and no quorum": (
        Case("etcd nospace", {}, without_space("demo-2", "demo-3")),
        r"demo has no quorum \(R14\): an alarm cannot be taken back",
    ),
    "nothing to win": (
        Case("etcd defrag"),
        r"little to win: demo-1 20 % of 0\.0 MiB free, .* \(R11\)\. Say --anyway",
    ),
    "nothing to win at all": (
        Case("etcd defrag", {"anyway": True}),
        r"little to win: .* \(R11\)\.$",
    ),
    "a member less than quorum tolerates": (
        Case("etcd defrag", {}, fragmented, size=2),
        r"it would leave 1 serving of 2, quorum 2, for a while \(R11\)",
    ),
    "a defragmentation while one is down": (
        Case("etcd defrag", {"member": "demo-1", "anyway": True}, down("demo-2")),
        r"demo-2 must be healthy first \(R11\)\. Bring back or remove",
    ),
    "to replace data that most members have": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, differing("demo-1")),
        r"demo-3 has the data that most members have, and demo-1 has not \(R16\): .* Name demo-1",
    ),
    "to choose among three": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, differing("demo-2", "demo-3")),
        r"At most 1 of 3 members hold the same data, and 2 would have to \(R16\)",
    ),
    "to choose among two": (
        Case("etcd replace-corrupt", {"member": "demo-2"}, differing("demo-2", on="demo-2"), 2),
        r"At most 1 of 2 members hold the same data, and 2 would have to \(R16\)",
    ),
    "to replace one of two that differ": (
        Case("etcd replace-corrupt", {"member": "demo-5"}, differing("demo-4", "demo-5"), 5),
        r"The data of demo-4 and demo-5 differs from that of most members \(R16\)",
    ),
    "to replace data that differs from nobody's": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, differing()),
        r"differs from nobody's \(R16\): .*\. If the alarm is of before, take it back: etcdctl",
    ),
    "to replace the data of one that is down": (
        Case("etcd replace-corrupt", {"member": "demo-3"}, down("demo-3")),
        r"demo-3 is down, and no alarm CORRUPT is on \(R16\)\. Use /etcd replace",
    ),
    "to start what sets a clock by seconds": (
        Case("host clock fix", {"host": "demo-2"}, far_off),
        r"demo-1 is 12\.00 s ahead of demo-2, .* \(R18\)\. A time service that starts may set",
    ),
    "to keep clocks right that are": (
        Case("host clock fix"),
        r"The clocks of demo are synchronised\. There is nothing to start",
    ),
    "to keep a clock right without a service": (
        Case("host clock fix", {}, without_service),
        r"demo-2 is not synchronised, and of its time services none is installed: install chrony",
    ),
    "to start what runs": (
        Case("host clock fix", {}, in_vain),
        r"demo-2 is not synchronised, and of its time services ntpd\.service runs already",
    ),
    "entropy where there is enough": (
        Case("host entropy fix", {"host": "demo-1"}, short_of_entropy),
        r"demo-1 has enough entropy\. There is nothing to start",
    ),
    "a host that is none": (
        Case("host entropy fix", {"host": "demo-9"}, short_of_entropy),
        r"There is no host 'demo-9'",
    ),
    "leadership to the one that leads": (
        Case("etcd move-leader", {"to": "demo-1"}),
        r"demo-1 \(a001\) leads already\. There is nothing to do",
    ),
    "leadership to a dead one": (
        Case("etcd move-leader", {"to": "demo-2"}, down("demo-2")),
        r"demo-2 is down, and only a healthy voter leads \(R9\)\. Name a healthy voter",
    ),
    "leadership without quorum": (
        Case("etcd move-leader", {}, down("demo-2", "demo-3")),
        r"Nobody leads demo now \(R9\)",
    ),
    "leadership of the only one": (
        Case("etcd move-leader", size=1),
        r"demo-1 is the only voter \(R9\)",
    ),
    "no URL": (
        Case("etcd member fix-peer-url", {"member": "demo-1", "url": "10.0.0.1"}),
        r"'10.0.0.1' is no peer URL\. Write https://HOST:PORT",
    ),
}


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
}


@pytest.mark.parametrize("procedure", CHANGES)
async def test_nothing_else_is_changed_while_data_differs(procedure: str) -> None:
    """R16: whatever it is, and whomever the alarm names."""
    facts = learner() if procedure == "etcd member promote" else down("demo-3")
    theatre = made(Case(procedure, CHANGES[procedure], facts))
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


def test_the_digest_does_not_depend_on_the_process() -> None:
    """Another process, with other hash seeds, gives the same one."""
    code = (
        "from procedures.model.plan import *\n"
        "s = Step(1, 't', 'k/1', {'b': {'y': 1, 'x': [1, True, None]}, 'a': 'é'}, 'c')\n"
        "plan = Plan('p', {'z': 1, 'a': 'b'}, 'demo', 't', Risk.DISRUPTIVE, 'l', ('f',), (s,))\n"
        "print(plan.digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "12345")
    }
    assert digests == {"73329c6aeef2cf614a0ed42a0f93a84076c326ff1365890d9797f82f02da8426"}
