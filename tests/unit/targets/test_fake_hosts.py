"""Machines in memory: what only they can show, beside the contract that they keep."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.targets.etcd.model import Condition
from bot.targets.ssh.model import FakeMachine, Say, StartError
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import Ended, Lost, Mark, NeverStarted, Running, Said
from procedures.model.ids import MemberName, RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault, FaultKind
from tests.support.sight import FakeSight, a_sight
from tests.support.transcripts import Heard
from tests.support.waiting import eventually

MARK = Mark(RunId("r-00000001"), 1, 1, "work")


class Scene:
    """One machine of a healthy cluster, and what it says."""

    def __init__(self) -> None:
        self.sight: FakeSight = a_sight()
        self.cluster: Cluster = next(iter(self.sight.inventory.clusters.values()))
        self.host: Host = self.cluster.hosts[0]
        self.machine: FakeMachine = self.sight.hosts.machines["demo-1"]
        self.heard = Heard()

    @property
    def said(self) -> list[str]:
        return self.heard.lines

    async def run(self, *argv: str, mark: Mark = MARK, limit_ms: int = 60_000) -> int:
        """Run a command, heard from its first line on."""
        self.heard.stored = 0
        ended = await self.sight.hosts.run(
            self.cluster, self.host, mark, argv, limit_ms=limit_ms, transcript=self.heard
        )
        return ended.status

    async def ask(self, *argv: str) -> Said:
        said = await self.sight.hosts.ask(self.cluster, self.host, argv)
        assert isinstance(said, Said)
        return said

    def member(self) -> Condition:
        return self.sight.demo.members[MemberName("demo-1")].condition

    def forever(self) -> None:
        """Let `wait` run until it is ended."""

        async def wait(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
            await say("waiting")
            await asyncio.Event().wait()
            return 0

        self.machine.programs["wait"] = wait


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_unit_is_the_members_process(scene: Scene) -> None:
    """Stopping and starting it on the machine stops and starts the member."""
    assert await scene.run("systemctl", "stop", "etcd") == 0
    assert scene.member() is Condition.STOPPED
    assert (await scene.ask("systemctl", "is-active", "etcd")) == Said(3, "inactive\n", "")
    other = Mark(MARK.run, 2, 1, "work")
    assert await scene.run("systemctl", "start", "etcd.service", mark=other) == 0
    assert scene.member() is Condition.RUNNING


async def test_a_unit_that_does_not_start(scene: Scene) -> None:
    """Its state and its exit status can be asked for."""

    def refuse(_: FakeMachine) -> None:
        raise StartError(2)

    unit = scene.machine.units["etcd.service"]
    unit.stop(scene.machine)
    unit.on_start = refuse
    assert await scene.run("systemctl", "start", "etcd") == 1
    shown = await scene.ask("systemctl", "show", "-p", "ActiveState,ExecMainStatus", "etcd")
    assert shown.out == "ActiveState=failed\nExecMainStatus=2\n"


async def test_a_masked_unit_does_not_start(scene: Scene) -> None:
    """Also not with the machine."""
    await scene.run("systemctl", "mask", "--now", "etcd")
    scene.machine.reboot()
    assert scene.machine.units["etcd.service"].active == "inactive"
    assert (await scene.ask("systemctl", "is-enabled", "etcd")).out == "masked\n"


async def test_power(scene: Scene) -> None:
    """Off, nothing answers and the member is down; on, it boots, and what is enabled runs."""
    before = await scene.sight.hosts.machine(scene.cluster, scene.host)
    scene.machine.power_off()
    fault = await scene.sight.hosts.machine(scene.cluster, scene.host)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.UNREACHABLE
    assert scene.member() is Condition.STOPPED
    with pytest.raises(Retryable):
        await scene.run("true")
    with pytest.raises(InDoubt):
        await scene.sight.hosts.settle(scene.cluster, scene.host, MARK)
    scene.machine.power_on()
    after = await scene.sight.hosts.machine(scene.cluster, scene.host)
    assert not isinstance(before, Fault)
    assert not isinstance(after, Fault)
    assert (after.machine_id, after.hostname) == (before.machine_id, before.hostname)
    assert after.boot_id != before.boot_id
    assert scene.member() is Condition.RUNNING


@pytest.mark.parametrize("how", ["off", "reboot", "cut"])
async def test_work_whose_machine_is_lost(scene: Scene, how: str) -> None:
    """It is in doubt; when the machine is back, it is lost, unless only the way was cut."""
    scene.forever()
    running = asyncio.create_task(scene.run("wait"))
    await eventually(lambda: bool(scene.said), 5, "it runs")
    {"off": scene.machine.power_off, "reboot": scene.machine.reboot, "cut": scene.machine.cut_off}[
        how
    ]()
    with pytest.raises(InDoubt):
        await running
    scene.machine.power_on()
    scene.machine.mend()
    trace = await scene.sight.hosts.settle(scene.cluster, scene.host, MARK)
    assert trace == (Running() if how == "cut" else Lost())
    await scene.sight.hosts.close()


async def test_another_machine_of_the_same_name(scene: Scene) -> None:
    """It has another identity, and knows of nothing."""
    assert await scene.run("true") == 0
    before = scene.machine.machine_id
    scene.machine.reinstall()
    assert scene.machine.machine_id != before
    assert await scene.sight.hosts.settle(scene.cluster, scene.host, MARK) == NeverStarted()
    assert scene.machine.files.get("/etc/etcd/etcd.conf") is None


async def test_a_program_of_the_tests(scene: Scene) -> None:
    """It is called with what it was started with; without it, the status is 127."""
    seen: list[tuple[Sequence[str], bytes]] = []

    async def etcdctl(_: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
        seen.append((argv, stdin))
        await say("done")
        return 3

    assert await scene.run("/usr/bin/etcdctl", "x") == 127
    scene.machine.programs["etcdctl"] = etcdctl
    assert await scene.run("/usr/bin/etcdctl", "x", mark=Mark(MARK.run, 1, 2, "work")) == 3
    assert (scene.said[-1], seen) == ("done", [(("/usr/bin/etcdctl", "x"), b"")])


async def test_asking_changes_nothing(scene: Scene) -> None:
    """A procedure that asks for a change is found out."""
    with pytest.raises(AssertionError, match="has to be run"):
        await scene.ask("systemctl", "stop", "etcd")


async def test_time_is_the_clocks(scene: Scene) -> None:
    """What sleeps for longer than its limit is over it, and nobody waits."""
    assert await scene.run("sleep", "100", limit_ms=10_000) == 124
    assert scene.sight.clock.slept_ms == [100_000]


async def test_effects_are_noted_once(scene: Scene) -> None:
    """Work that is found again did not happen again."""
    for _ in range(2):
        await scene.run("mkdir", "/var/lib/etcd/new")
    assert scene.sight.hosts.effects == ["demo-1: mkdir /var/lib/etcd/new"]
    assert await scene.sight.hosts.settle(scene.cluster, scene.host, MARK) == Ended(0)


async def test_a_mount_does_not_move(scene: Scene) -> None:
    """Moving the data folder itself fails where it is a file system of its own."""
    scene.machine.mounts["/var/lib/etcd"] = "/dev/vdb"
    assert await scene.run("mv", "/var/lib/etcd", "/var/lib/etcd.old") == 1
    assert scene.said == ["mv: cannot move '/var/lib/etcd': Device or resource busy"]
    asked = await scene.ask("findmnt", "-n", "-o", "TARGET", "--target", "/var/lib/etcd/member")
    assert asked.out == "/var/lib/etcd\n"


async def test_a_full_disk(scene: Scene) -> None:
    """Writing fails and can be tried again; what is there stays as it is."""
    before = scene.machine.files.listing("/etc/etcd")
    scene.machine.files.full = True
    with pytest.raises(Retryable, match="No space left"):
        await scene.sight.hosts.write(
            scene.cluster, scene.host, "/etc/etcd/new.conf", b"x", was=None
        )
    assert scene.machine.files.listing("/etc/etcd") == before


async def test_files_keep_who_they_belong_to(scene: Scene) -> None:
    """A file that is replaced keeps owner, mode and label, and so does the copy of the former."""
    await scene.run("chown", "-R", "etcd:etcd", "/etc/etcd")
    await scene.run("chmod", "640", "/etc/etcd/etcd.conf", mark=Mark(MARK.run, 2, 1, "work"))
    seen = await scene.sight.hosts.read(scene.cluster, scene.host, "/etc/etcd/etcd.conf")
    assert seen is not None
    assert not isinstance(seen, Fault)
    assert (seen.owner, seen.group, seen.mode) == ("etcd", "etcd", 0o640)


async def test_unknown_places_are_not_written(scene: Scene) -> None:
    """Only what the platform's etcd needs."""
    with pytest.raises(Permanent, match="not among the files"):
        await scene.sight.hosts.write(scene.cluster, scene.host, "/etc/passwd", b"x", was=None)
