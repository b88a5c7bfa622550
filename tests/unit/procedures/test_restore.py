"""When a cluster is restored, when not, and why the known traps of restoring cannot happen here."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.targets.etcd.memory import FakeEtcd
from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Program, Say
from procedures.actions.host.restore_snapshot import RestoreSnapshot
from procedures.model.errors import QuorumbotError, Refused, UsageError
from procedures.model.ids import MemberId, RunId
from procedures.model.inventory import Cluster, Platform
from procedures.model.paths import scratch
from procedures.model.probe import Fault, FaultKind, Sample
from procedures.model.restoring import Seed, Tool, cluster_id, restore_argv, token, tools
from procedures.model.run import State
from tests.support.lost_cluster import DATA, MEMBER, Tools, keep, lose
from tests.support.theatre import RUN, Theatre, a_theatre
from tests.unit.procedures.plans.case import planned

ALL = ("demo-1", "demo-2", "demo-3")
KEPT = "demo-20231113T221320Z-90-6742c4a60b5d.db"
SEED = Seed("demo-1", ("https://10.0.0.1:2380",))


def a_loss(
    *down: str, off: tuple[str, ...] = (), tools: Tools | None = None, **args: str
) -> Theatre:
    """A run on a cluster that has lost these members, and the hosts that are `off`."""
    theatre = a_theatre("etcd restore", args)
    lose(theatre, *down, off=off, tools=tools)
    return theatre


def refusing(scene: Callable[[Theatre], object], *down: str, **args: str) -> Theatre:
    """The same, with something more that stands against it."""
    theatre = a_theatre("etcd restore", args)
    lose(theatre, *down, tools=Tools(blind=scene is _firewall))
    scene(theatre)
    return theatre


def _no_backups(theatre: Theatre) -> None:
    theatre.sight.backups = None


def _damaged(theatre: Theatre) -> None:
    for name, (snapshot, data) in theatre.backups.stored.items():
        theatre.backups.stored[name] = snapshot, data[:100] + b"X" + data[101:]


def _edited(path: str, content: str) -> Callable[[Theatre], None]:
    def act(theatre: Theatre) -> None:
        for machine in theatre.sight.hosts.machines.values():
            machine.files.put(path, content)

    return act


def _machines_off(theatre: Theatre) -> None:
    for machine in theatre.sight.hosts.machines.values():
        machine.cut_off()


def _our_files(theatre: Theatre) -> None:
    theatre.sight.etcd.files_fault = Fault(FaultKind.FILES, "client.crt is missing.")


def _firewall(theatre: Theatre) -> None:
    """No client port is reached from here, and all members run."""
    for member in theatre.sight.demo.members.values():
        member.condition = Condition.BLACKHOLED


def _little_space(theatre: Theatre) -> None:
    for machine in theatre.sight.hosts.machines.values():
        machine.free_bytes = 1_000_000


def _nothing(_: Theatre) -> None:
    pass


CONF = "/etc/etcd/etcd.conf"
REFUSALS = {
    "quorum exists": (
        (_nothing, ("demo-3",), {}),
        r"has quorum: demo-1 and demo-2 served a linearizable read, which takes 2 of 3 members",
    ),
    "our own files are the fault": (
        (_our_files, ALL, {}),
        r"Nobody can tell whether demo has lost quorum.*\(R14\).*client\.crt is missing",
    ),
    "no host answers": (
        (_machines_off, ("demo-2", "demo-3"), {}),
        r"cannot be stopped there|a second place has to be asked",
    ),
    "our way to the ports is the fault": (
        (_firewall, (), {}),
        r"Nobody can tell whether demo has lost quorum",
    ),
    "no place for backups": ((_no_backups, ALL, {}), r"No place for backups is configured"),
    "the snapshot is damaged": (
        (_damaged, ALL, {}),
        r"There is no whole snapshot of demo that was taken with quorum",
    ),
    "the named snapshot is not there": (
        (_nothing, ALL, {"snapshot": "demo-x.db"}),
        r"There is no snapshot 'demo-x\.db'\. The newest are demo-2023",
    ),
    "no such host": ((_nothing, ALL, {"on": "demo-9"}), r"no host 'demo-9'\. The hosts are demo-1"),
    "data elsewhere": (
        (_edited(CONF, "ETCD_NAME=a\nETCD_DATA_DIR=/srv/etcd\n"), ALL, {}),
        r"data of demo-1 is in /srv/etcd, not in /var/lib/etcd",
    ),
    "no peer URL": (
        (_edited(CONF, "ETCD_NAME=a\n"), ALL, {}),
        r"No host of demo is fit.*sets no ETCD_NAME or no ETCD_INITIAL_ADVERTISE_PEER_URLS",
    ),
    "no space": ((_little_space, ALL, {"on": "demo-2"}), r"less than 128 MiB free \(R13\)"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_is_refused(name: str) -> None:
    """Before anybody is asked, with the figures and the way out."""
    (scene, down, args), words = REFUSALS[name]
    with pytest.raises(QuorumbotError, match=words):
        await planned(refusing(scene, *down, **args))


async def test_bad_data_takes_the_name_of_a_snapshot() -> None:
    """The newest one may hold what is bad."""
    theatre = a_theatre("etcd restore", {"data_is_bad": True})
    lose(theatre)
    with pytest.raises(UsageError, match=r"With --data-is-bad, name the snapshot"):
        await planned(theatre)


async def test_bad_data_is_restored_although_quorum_exists() -> None:
    """Where it is declared, and approved as such; what stands in the plan is what was declared."""
    theatre = a_theatre("etcd restore", {"data_is_bad": True, "snapshot": "to be named"})
    lose(theatre)
    [name] = theatre.backups.stored
    theatre = a_theatre("etcd restore", {"data_is_bad": True, "snapshot": name})
    lose(theatre)
    await theatre.approved()
    assert theatre.run.plan is not None
    assert "declared bad by --data-is-bad; nothing here proves it" in theatre.run.plan.facts[0]
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    assert set(theatre.members()) == set(ALL)


async def test_a_host_that_still_reads_is_believed() -> None:
    """From here nobody answers; a host of the cluster gets an answer: quorum exists."""
    theatre = a_loss(*ALL)
    lose(theatre, *ALL, tools=Tools(sees={"https://127.0.0.1:2381"}))
    with pytest.raises(Refused, match=r"a linearizable read was served by .*:2381, asked"):
        await planned(theatre)


async def test_an_etcd_that_nobody_can_stop() -> None:
    """It would go on beside the restored cluster."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    theatre.sight.hosts.machines["demo-1"].cut_off()
    with pytest.raises(Refused, match=r"etcd answers on demo-1, and cannot be stopped there"):
        await planned(theatre)


async def test_the_newest_whole_one_with_quorum_is_chosen() -> None:
    """A newer one that is damaged is said to be so; a newer one without quorum is not taken."""
    theatre = a_loss(*ALL)
    now = theatre.sight.clock.ms
    good = keep(theatre.backups, now - 3_000_000, revision=95)
    bad = keep(theatre.backups, now - 2_000_000, revision=97)
    keep(theatre.backups, now - 1_000_000, revision=99, quorum=False)
    theatre.backups.stored[bad.name] = bad, b"x" * bad.size
    plan = await planned(theatre)
    assert good.name in plan.title
    assert any(f"Newer, and not whole: {bad.name} is damaged" in fact for fact in plan.facts)


async def test_one_without_quorum_only_where_it_is_named() -> None:
    """And the plan says what that means."""
    theatre = a_theatre("etcd restore", {})
    lose(theatre, *ALL)
    alone = keep(theatre.backups, theatre.sight.clock.ms, revision=99, quorum=False)
    theatre = a_theatre("etcd restore", {"snapshot": alone.name})
    lose(theatre, *ALL)
    keep(theatre.backups, theatre.sight.clock.ms, revision=99, quorum=False)
    plan = await planned(theatre)
    assert alone.name in plan.title
    assert any("taken" in fact and "without quorum" in fact for fact in plan.facts)


# The traps that are known from runbooks (catalogue X10, X11, X14, X16, X21).


@pytest.mark.parametrize("minor", ["3.3", "3.4", "3.5", "3.6"])
@pytest.mark.parametrize("bumps", [True, False])
def test_x10_the_sum_of_a_snapshot_is_always_checked(minor: str, bumps: bool) -> None:
    """No tool is ever told to skip it."""
    for name in tools(minor):
        argv = restore_argv(Tool(name, minor, bumps), SEED, DATA, RunId("r-1"))
        assert not any("skip-hash-check" in word for word in argv)


async def test_x10_what_is_damaged_on_the_host_is_never_restored() -> None:
    """One byte on its disk is enough, and nothing was stopped by then."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    await theatre.approved()
    machine, path = theatre.sight.hosts.machines["demo-1"], f"{scratch(RUN)}/snapshot.db"
    tool = machine.programs["env"]

    async def spoiling(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        if machine.files.get(path) is not None:
            machine.files.put(path, b"X" + machine.files.file(path).content[1:])
        return await tool(machine, argv, stdin, say)

    machine.programs["env"] = spoiling
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is not the snapshot of the plan. Nothing was stopped." in str(theatre.run.error)
    assert nothing_was_stopped(theatre)


def test_x11_the_same_member_under_another_run_is_another_cluster() -> None:
    """Peers and token make the id: with a fixed token an old member would fit in."""
    first, second = (cluster_id(SEED, token(RunId(run))) for run in ("r-00000001", "r-00000002"))
    assert first != second
    # As etcdctl 3.4.23 and etcdutl 3.5.16 printed it for this very member and token.
    assert cluster_id(Seed("n", SEED.peer_urls), "quorumbot-r-1") == "adc2875a1bdd264a"


async def test_x11_an_old_member_that_still_runs_is_found_out() -> None:
    """Whoever answers with another cluster id is of the old cluster."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    await theatre.approved()
    sight = theatre.sight
    before = sight.hosts.machines["demo-1"].units["etcd.service"].on_start

    def and_another(machine: FakeMachine) -> None:
        before(machine)
        sight.demo.cluster_id = MemberId("c0ffee")  # what answers is the old cluster

    sight.hosts.machines["demo-1"].units["etcd.service"].on_start = and_another
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "is of the cluster c0ffee, not of the restored one" in str(theatre.run.error)


async def test_x14_one_host_that_runs_is_no_quorum_and_two_are() -> None:
    """Of three, one is not enough to be spared a restore; two are enough to be refused one."""
    plan = await planned(a_loss("demo-2", "demo-3", snapshot=KEPT))
    assert "none of 3 members served a linearizable read, quorum 2" in plan.facts[0]
    with pytest.raises(Refused, match="which takes 2 of 3 members"):
        await planned(a_loss("demo-3"))


async def test_x14_quorum_that_comes_back_ends_the_run_before_anything_is_stopped() -> None:
    """Approved without quorum, and refused with it."""
    theatre = a_theatre("etcd restore", {"snapshot": KEPT})
    lose(theatre, "demo-2", "demo-3").dead.clear()
    await theatre.approved()
    machine = theatre.sight.hosts.machines["demo-2"]
    machine.units["etcd.service"].start(machine)
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo has quorum again" in str(theatre.run.error)
    assert nothing_was_stopped(theatre)


async def test_quorum_that_comes_back_leaves_the_api_servers_on() -> None:
    """They are stopped before etcd is, and only when nobody has come back until then."""
    theatre = a_theatre("etcd restore", {"snapshot": KEPT})
    lose(theatre, "demo-2", "demo-3", platform=Platform.OCP311).dead.clear()
    await theatre.approved()
    machines = theatre.sight.hosts.machines
    machines["demo-2"].units["etcd.service"].start(machines["demo-2"])
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "demo has quorum again" in str(theatre.run.error)
    assert nothing_was_stopped(theatre)


async def test_members_that_only_find_no_leader_are_not_given_up() -> None:
    """Certificates of peers that have ended look like a loss; all data is there."""
    theatre = a_loss()
    theatre.sight.etcd = Leaderless(theatre.sight.etcd.clusters)
    for machine in theatre.sight.hosts.machines.values():
        machine.programs["env"] = _unhealthy(machine.programs.get("env"))
    with pytest.raises(Refused, match=r"run and answer, and find no leader; 2 of 3 make a quorum"):
        await planned(theatre)


class Leaderless(FakeEtcd):
    """Members that answer, and serve no linearizable read."""

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        fault = Fault(FaultKind.SERVER, "etcdserver: no leader")
        now = await super().sample(cluster, extra)
        probes = (replace(each, read=fault) for each in now.probes)
        return replace(now, probes=tuple(probes))


def _unhealthy(program: Program | None) -> Program:
    async def env(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        if "health" not in argv:
            return await program(machine, argv, stdin, say) if program else 127
        [urls] = [word.partition("=")[2] for word in argv if word.startswith("--endpoints=")]
        await say(json.dumps([{"endpoint": url, "health": False} for url in urls.split(",")]))
        return 1

    return env


async def test_x16_a_data_folder_that_is_a_mount_is_never_moved() -> None:
    """Only what is inside gets another name, so nothing is copied, and nothing is busy."""
    theatre = a_loss("demo-2", "demo-3", snapshot=KEPT)
    machines = theatre.sight.hosts.machines
    for machine in machines.values():
        machine.mounts[DATA] = "/dev/vdb1"
    await theatre.approved()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED, theatre.run.error
    for name in ALL:
        assert (
            machines[name].files.text(f"{MEMBER}.before-{RUN}/snap/db") == f"old data of {name}\n"
        )
    moves = [each.split() for each in theatre.effects if ": mv " in each]
    assert moves
    assert all(path.startswith(f"{DATA}/") for each in moves for path in each[-2:])
    [removed] = [each.split() for each in theatre.effects if ": rm " in each]
    assert removed[-2:] == [f"{scratch(RUN)}/snapshot.db", f"{DATA}/quorumbot-{RUN}"]


@pytest.mark.parametrize(
    ("version", "names", "restores", "program"),
    [
        ("3.4.23", ("etcd", "etcdctl"), ("etcdctl",), "etcdctl"),
        ("3.5.16", ("etcd", "etcdctl", "etcdutl"), ("etcdctl", "etcdutl"), "etcdutl"),
        ("3.5.16", ("etcd", "etcdctl"), ("etcdctl",), "etcdctl"),
        ("3.6.11", ("etcd", "etcdctl", "etcdutl"), ("etcdutl",), "etcdutl"),
    ],
)
async def test_x21_the_tool_is_chosen_by_version_and_by_its_own_help(
    version: str, names: tuple[str, ...], restores: tuple[str, ...], program: str
) -> None:
    """etcdctl of 3.6 has no restore; it says so with status 0."""
    plan = await planned(a_loss(*ALL, tools=Tools(version, names, restores=restores)))
    [step] = [step for step in plan.steps if step.action == RestoreSnapshot.KIND]
    assert f"{program} snapshot restore --help" in step.command


@pytest.mark.parametrize(
    "tools",
    [
        Tools("3.6.11", ("etcd", "etcdctl")),
        Tools("3.4.23", ("etcd",)),
        Tools("3.5.16", ("etcd", "etcdctl", "etcdutl"), restores=()),
    ],
)
async def test_x21_without_such_a_tool_there_is_no_plan(tools: Tools) -> None:
    """It is not found out when all is stopped."""
    with pytest.raises(Refused, match=r"has no .* that can restore \(X21\)|has no etcdctl"):
        await planned(a_loss(*ALL, tools=tools))


@pytest.mark.parametrize("bad", [False, True])
async def test_x21_where_etcd_is_a_pod_its_tools_are_installed_apart(bad: bool) -> None:
    """The host has none of its own: people are told how it gets them, and no second etcd."""
    args: dict[str, str | bool] = {"data_is_bad": True, "snapshot": KEPT} if bad else {}
    theatre = a_theatre("etcd restore", args)
    lose(theatre, *ALL, platform=Platform.OCP311, tools=Tools(names=()))
    words = r"has no etcdctl.*install etcd of the members' minor.*systemctl mask etcd\.service\."
    with pytest.raises(Refused, match=words):
        await planned(theatre)


async def test_x21_a_tool_that_changed_meanwhile_stops_nothing() -> None:
    """Somebody upgraded the package between the approval and the step."""
    theatre = a_theatre("etcd restore", {"snapshot": KEPT})
    tools = lose(theatre, "demo-2", "demo-3")
    await theatre.approved()
    tools.restores = ()
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert "does not restore as it did when the plan was made (X21)" in str(theatre.run.error)
    assert nothing_was_stopped(theatre)


def nothing_was_stopped(theatre: Theatre) -> bool:
    """No unit was touched, and no data moved."""
    kinds = ("systemctl", ": mv ")
    return not [each for each in theatre.effects if any(kind in each for kind in kinds)]
