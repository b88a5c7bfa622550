"""`quorumbot sandbox --hosts`: a cluster on hosts, asked about and changed by clicks.

The sandbox makes a testbed of its own, with a namespace of its own; these tests are inside the
folder's namespace all the same, where no port is another's.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from procedures.model.events import Began, Started
from procedures.model.ids import ClusterName
from tests.hosts.traces import traces
from tests.support.run_messages import click, in_state
from tests.support.running import running_sandbox
from tests.support.sandbox import MEMBERS, Sandbox
from tests.support.sandboxes import REAL
from tests.support.sandboxes import sandbox as sandbox_process
from tests.support.terminal import quorumbot
from tests.support.waiting import alive, eventually
from tests.testbed import Access, Namespace
from tests.testbed.shell import Ran, attempt, call

HERE = Path(__file__).parents[2]
_RESTART = 2
"""The step that stops and starts etcd."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a running sandbox, past the bot: by ssh, and on their disks."""

    sandbox: Sandbox

    @property
    def folder(self) -> Path:
        access = self.sandbox.config.inventory.clusters[ClusterName("demo")].ssh
        assert access
        assert access.key
        return Path(access.key).parent

    @property
    def testbed(self) -> str:
        return self.folder.name

    def inside(self, *argv: str) -> Ran:
        """Run a command where the hosts can be reached."""
        return attempt(
            Namespace(f"{self.testbed}-bot").command(argv), environment={"ETCDCTL_API": "3"}
        )

    def healthy(self) -> bool:
        """Whether every member answers a linearizable read."""
        demo = self.sandbox.directory / "demo"
        backups = self.sandbox.config.file.backups
        assert backups
        ran = self.inside(
            *(str(backups.tools["3.4"] / "etcdctl"), "endpoint", "health"),
            f"--endpoints={(demo / 'endpoints').read_text().strip()}",
            f"--cacert={demo / 'ca.crt'}",
            f"--cert={demo / 'client.crt'}",
            f"--key={demo / 'client.key'}",
        )
        return ran.status == 0

    def ssh(self, name: str, *command: str) -> str:
        cluster = self.sandbox.config.inventory.clusters[ClusterName("demo")]
        (host,) = [host for host in cluster.hosts if host.name == name]
        access = Access(self.folder / "id_ed25519", self.folder / "known_hosts", "")
        ran = self.inside(*access.ssh(host.address, *command))
        assert ran.status == 0, ran.errors
        return ran.output.strip()

    def etcd(self, name: str) -> str:
        """The id of the one etcd process."""
        return self.ssh(name, "pgrep", "-x", "etcd")

    def starts(self, name: str) -> int:
        """How often etcd was started since the host was new."""
        journal = self.folder / "hosts" / name / "root/var/log/journal"
        argv = ["journalctl", "--quiet", "-D", str(journal), "-u", "etcd.service", "-o", "cat"]
        return call(argv).count("Started etcd.service")

    def works(self, name: str, run: str) -> list[str]:
        """What a run that goes on has carried out to its end on a host, by its marks."""
        return sorted(each.parent.name for each in self._kept(name, run).glob("*/status"))

    def has_left(self, name: str, run: str) -> bool:
        """Tell whether anything is kept on a host of a run that is over, but that it is."""
        kept = self._kept(name, run)
        return not kept.is_file() or kept.stat().st_size > 0

    def _kept(self, name: str, run: str) -> Path:
        return self.folder / "hosts" / name / "root/var/lib/quorumbot/runs" / run


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_sandbox(
    inside: Namespace,  # noqa: ARG001 - before anything listens
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Sandbox]:
    """Ends by Ctrl-C, and leaves nothing on the machine."""
    async with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--hosts") as sandbox:
        name = Hosts(sandbox).testbed
        assert traces(name)
        yield sandbox
    assert traces(name) == []


@pytest_asyncio.fixture
async def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """All members answer."""
    await eventually(Hosts(shared_sandbox).healthy, 60, "the cluster is healthy")
    return shared_sandbox


@pytest.fixture
def hosts(sandbox: Sandbox) -> Hosts:
    return Hosts(sandbox)


async def ask_for_restart(sandbox: Sandbox) -> tuple[str, str]:
    """Alice asks, bob approves; the moment before, and the run."""
    since = await sandbox.moment()
    await sandbox.accepted("restart demo-2 --reason x")
    asked = await in_state(sandbox, "Waiting for approval", since)
    await click(sandbox, "bob", asked, "run.approve")
    return since, asked.run


async def test_etcd_is_restarted_on_its_host(sandbox: Sandbox, hosts: Hosts) -> None:
    """By a click, over SSH: another process after, and only there."""
    before = {name: hosts.etcd(name) for name in MEMBERS}
    since, run = await ask_for_restart(sandbox)
    await in_state(sandbox, "Succeeded", since)
    after = {name: hosts.etcd(name) for name in MEMBERS}
    assert [name for name in MEMBERS if after[name] != before[name]] == ["demo-2"]
    assert not hosts.has_left("demo-2", run)


@pytest.mark.parametrize("moment", ["at once", "stopped"])
async def test_the_worker_is_killed_during_a_restart(
    sandbox: Sandbox, hosts: Hosts, moment: str
) -> None:
    """Another goes on, and etcd was started once."""
    started = hosts.starts("demo-2")
    since, run = await ask_for_restart(sandbox)

    async def under_way() -> bool:
        if moment == "stopped":
            return hosts.works("demo-2", run) != []
        entries = (await sandbox.store().journal(run)).entries
        events = [entry.event for entry in entries]
        return any(isinstance(each, Started) and each.step == _RESTART for each in events)

    await eventually(under_way, 30, "etcd is being restarted")
    await sandbox.processes.kill("worker")
    await in_state(sandbox, "Succeeded", since)
    entries = (await sandbox.store().journal(run)).entries
    assert sum(isinstance(entry.event, Began) for entry in entries) > 1
    assert hosts.starts("demo-2") == started + 1
    assert not hosts.has_left("demo-2", run)


async def test_check_reaches_all_of_it(sandbox: Sandbox) -> None:
    """From any terminal: Slack and Redis here, members and hosts in their namespace."""
    said = await quorumbot("check", "--config", sandbox.config_path)
    assert (said.code, said.err) == (0, "")
    found = dict(line.removeprefix("ok").strip().split(": ", 1) for line in said.out.splitlines())
    assert found["clusters.demo"] == "3 members answer"
    for name in (*MEMBERS, "demo-4"):
        assert found[f"clusters.demo.hosts.{name}"].startswith(f"{name}, machine ")


async def test_check_without_root(sandbox: Sandbox) -> None:
    """What is out of reach is said, with what it takes."""
    lesser = ["setpriv", "--inh-caps=-sys_admin", "--bounding-set=-sys_admin", "--"]
    ran = await asyncio.to_thread(
        attempt, [*lesser, *REAL[:3], "check", "--config", str(sandbox.config_path)]
    )
    assert ran.status == 1
    assert ran.errors == (
        "FAULT   sandbox_namespace: the hosts are out of reach (Operation not permitted): "
        "it takes root, as the sandbox did\n"
    )


async def test_a_host_loses_its_power(sandbox: Sandbox) -> None:
    """The others go on, and say so; with power it is back by itself."""
    await sandbox.cluster("demo-3", "stop")

    async def known() -> bool:
        answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
        assert answer.headline == "demo: degraded, 2 of 3 members, tolerance 0"
        return "demo-1 and demo-2 neither hear from it nor reach it" in answer.text

    try:
        await eventually(known, 120, "the others are sure of it")
    finally:
        await sandbox.cluster("demo-3", "start")


async def test_a_host_is_frozen_and_another_is_new(sandbox: Sandbox, hosts: Hosts) -> None:
    """Frozen, its member says nothing; a new spare has another key, which is known."""
    await sandbox.cluster("demo-3", "freeze")
    answer = await sandbox.wait_for_answer(await sandbox.accepted("health"))
    assert "2 of 3" in answer.headline
    await sandbox.cluster("demo-3", "thaw")
    machine = hosts.ssh("demo-4", "cat", "/etc/machine-id")
    await sandbox.cluster("demo-4", "wipe")
    assert hosts.ssh("demo-4", "cat", "/etc/machine-id") != machine


@pytest.mark.parametrize(
    ("member", "do", "words"),
    [
        ("demo-1", "thaw", "demo-1 is not frozen"),
        ("demo-1", "start", "demo-1 is on"),
        ("demo-5", "stop", "no member 'demo-5'; there are demo-1, demo-2, demo-3, demo-4"),
        ("demo-1", "reboot", "unknown action 'reboot'; there are stop, kill, start, freeze"),
    ],
)
async def test_what_cannot_be_done_to_a_host(
    sandbox: Sandbox, member: str, do: str, words: str
) -> None:
    """Is said, and changes nothing."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{sandbox.url}/control/cluster", json={"member": member, "do": do}) as answer,
    ):
        assert answer.status == 400
        assert words in await answer.text()


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("killed", ["the supervisor", "the testbed"])
async def test_nothing_is_left_of_a_killed_one(tmp_path: Path, killed: str) -> None:
    """The testbed notices that nobody needs it; the supervisor, that its hosts are gone."""
    state = tmp_path / "kept"
    arguments = ("--port", "0", "--dir", str(state), "--hosts")
    async with sandbox_process(tmp_path, *arguments, command=REAL) as process:
        await process.ready()
        running = Sandbox(process.url, state)
        name, pids = Hosts(running).testbed, running.processes.all()
        os.kill(pids["workspace" if killed == "the supervisor" else "testbed"], signal.SIGKILL)
        status = await process.ended(40)
        await eventually(lambda: not process.survivors(), 40, f"left: {process.survivors()}")
        assert not [part for part, pid in pids.items() if alive(pid)]
        if killed == "the testbed":
            assert status == 1
            assert "the hosts are gone: start the sandbox again" in await process.errors()
    assert traces(name) == []


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("booting", [False, True])
async def test_an_unwanted_testbed_does_not_wait_until_it_is_ready(booting: bool) -> None:
    """Its stdin is closed at once, or when hosts boot: it ends in order, without a word."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.testbed", "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=HERE,
    )
    if booting:  # what keeps a guest running is a child of the testbed's
        guests = ["pgrep", "--parent", str(process.pid), "--exact", "sh"]
        await eventually(lambda: attempt(guests).status == 0, 30, "hosts boot")
    async with asyncio.timeout(40):
        said, _ = await process.communicate(b"")  # which closes it
    assert (process.returncode, said) == (0, b"")


@pytest.mark.usefixtures("inside")
def test_a_machine_that_cannot_carry_hosts_says_why(tmp_path: Path) -> None:
    """One line, with what is missing."""
    lesser = ["setpriv", "--inh-caps=-sys_admin", "--bounding-set=-sys_admin", "--"]
    ran = attempt([*lesser, *REAL, "--port", "0", "--hosts", "--dir", str(tmp_path / "kept")])
    assert ran.status == 1
    assert ran.errors == (
        "quorumbot: --hosts: hosts need CAP_SYS_ADMIN, which this root lacks (a container?)\n"
    )
