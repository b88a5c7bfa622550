"""The two worlds in which the contract is tested: a real sshd, and machines in memory."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from bot.clock import WallClock
from bot.targets.ssh.fake_files import FakeFile
from bot.targets.ssh.hosts import SshHosts
from bot.targets.ssh.memory import FakeHosts
from bot.targets.ssh.model import FakeMachine, Say
from procedures.engine.hosts import HostAct, HostLook
from procedures.model.host import Mark
from procedures.model.ids import ClusterName, RunId, Site
from procedures.model.inventory import Cluster, Host, Platform, SshAccess
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd
from tests.support.transcripts import Heard
from tests.support.waiting import eventually

DEADLINE_MS = 2_000
PATIENCE_MS = 1_000


class Target(HostLook, HostAct, Protocol):
    """Looks at machines and works on them."""


class World(Protocol):
    """One machine that can be lost, and what lies on it.

    `hosts` is one worker's hand on it, `others()` another's. `run` is a run of this test's alone.
    """

    cluster: Cluster
    host: Host
    hosts: Target
    run: RunId

    def others(self) -> Target: ...
    def put(self, path: str, content: bytes, mode: int = 0o644) -> None: ...
    def link(self, path: str, to: str) -> None: ...
    def content(self, path: str) -> bytes | None: ...
    def mode(self, path: str) -> int: ...
    def names(self, path: str) -> list[str]: ...
    async def lose(self) -> None: ...
    async def find(self) -> None: ...
    async def reboot(self) -> None: ...
    async def close(self) -> None: ...


def new_run() -> RunId:
    """One that no other test on this machine has: processes are found by it."""
    return RunId(f"r-{secrets.token_hex(4).upper()}")


async def _sh(_: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
    """The twin has no programs of its own worth the name: borrow the real shell."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=64 * 1024,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(stdin)
        process.stdin.close()
        rest = b""
        while chunk := await process.stdout.read(64 * 1024):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                await say(line.decode(errors="backslashreplace"))
        if rest:
            await say(rest.decode(errors="backslashreplace"))
        return await process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


class MemoryWorld:
    """The twin."""

    def __init__(self) -> None:
        self.cluster = _cluster(None)
        self.host = Host("machine-1", "10.0.0.1")
        self.run = new_run()
        self._fake = FakeHosts(WallClock(None))
        self.hosts: Target = self._fake
        self.machine = self._fake.add("machine-1")
        self.machine.files.folder("/etc/etcd")
        self.machine.files.folder("/var/lib/etcd")
        self.machine.programs["sh"] = _sh

    def others(self) -> Target:
        return self._fake

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self.machine.files.put(path, content, mode)

    def link(self, path: str, to: str) -> None:
        self.machine.files.link(path, to)

    def content(self, path: str) -> bytes | None:
        node = self.machine.files.get(path)
        return node.content if isinstance(node, FakeFile) else None

    def mode(self, path: str) -> int:
        return self.machine.files.file(path).mode

    def names(self, path: str) -> list[str]:
        return self.machine.files.listing(path)

    async def lose(self) -> None:
        self.machine.cut_off()

    async def find(self) -> None:
        self.machine.mend()

    async def reboot(self) -> None:
        self.machine.reboot()

    async def close(self) -> None:
        await self._fake.close()


class RealWorld:
    """sshd behind a proxy. `directory` is the worker's own, for what it knows of the machine."""

    def __init__(self, server: Sshd, way: Proxy, directory: Path) -> None:
        self.server, self.way = server, way
        known = server.known_hosts(directory / "known_hosts", way.port)
        self.access = SshAccess("root", str(server.user_key), known_hosts=known)
        self.cluster = _cluster(self.access)
        self.host = Host("machine-1", "127.0.0.1", way.port)
        self.run = new_run()
        self._all: list[SshHosts] = []
        self.hosts: Target = self.others()

    def others(self) -> Target:
        made = SshHosts(patience_ms=PATIENCE_MS)
        self._all.append(made)
        return made

    @property
    def state(self) -> Path:
        """What is kept of this test's run."""
        return self._at(f"/var/lib/quorumbot/runs/{self.run}")

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self._at(path).parent.mkdir(parents=True, exist_ok=True)
        self._at(path).write_bytes(content)
        self._at(path).chmod(mode)

    def link(self, path: str, to: str) -> None:
        self._at(path).symlink_to(to)

    def content(self, path: str) -> bytes | None:
        return self._at(path).read_bytes() if self._at(path).is_file() else None

    def mode(self, path: str) -> int:
        return self._at(path).stat().st_mode & 0o7777

    def names(self, path: str) -> list[str]:
        return sorted(each.name for each in self._at(path).iterdir())

    async def lose(self) -> None:
        await self.way.close()

    async def find(self) -> None:
        await self.way.open()

    async def reboot(self) -> None:
        """All that runs is gone, and what was noted of it is from another boot."""
        await self.way.close()
        for record in self.state.glob("*/record"):
            pid, began, _ = record.read_text().split()
            os.killpg(int(pid), signal.SIGKILL)
            for child in self.heirs():
                with suppress(ProcessLookupError):  # it may have ended by itself
                    os.kill(child, signal.SIGKILL)
            await eventually(lambda: not self.heirs(), 10, "all is gone")
            record.write_text(f"{pid} {began} 00000000-0000-0000-0000-000000000000\n")
        await self.way.open()

    def heirs(self) -> list[int]:
        """The processes that were started for this test's run."""
        found = []
        mark = f"QUORUMBOT_MARK=/var/lib/quorumbot/runs/{self.run}/".encode()
        for each in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in each.read_bytes():
                    found.append(int(each.parent.name))
        return found

    async def close(self) -> None:
        for each in self._all:
            await each.close()
        for pid in self.heirs():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _at(self, path: str) -> Path:
        return self.server.root / path.lstrip("/")


def _cluster(access: SshAccess | None) -> Cluster:
    return Cluster(
        name=ClusterName("demo"),
        platform=Platform.ETCD,
        site=Site("here"),
        endpoints=MappingProxyType({}),
        tls=None,
        deadline_ms=DEADLINE_MS,
        ssh=access,
    )


class Gate:
    """What work waits for, with `WAIT` in a shell whose `$0` is its path."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def open(self) -> None:
        Path(self.path).touch()

    def content(self) -> str:
        return Path(self.path).read_text()


WAIT = 'while [ ! -e "$0" ]; do sleep 0.02; done'


class Piece:
    """A piece of work of a test's, and all that it has said; or, of another, the rest of it."""

    def __init__(
        self, world: World, name: str = "work", attempt: int = 1, *, heard: Heard | None = None
    ) -> None:
        self.world = world
        self.mark = Mark(world.run, 1, attempt, name)
        self.heard = heard or Heard()

    @property
    def said(self) -> list[str]:
        return self.heard.lines

    async def run(
        self, *argv: str, hosts: Target | None = None, limit_ms: int = 60_000, stdin: bytes = b""
    ) -> int:
        """Run a command under the mark, and give its status."""
        ended = await (hosts or self.world.hosts).run(
            self.world.cluster,
            self.world.host,
            self.mark,
            argv,
            limit_ms=limit_ms,
            transcript=self.heard,
            stdin=stdin,
        )
        return ended.status

    async def begun(self, *argv: str, until: str = "begun") -> asyncio.Task[int]:
        """Run it in the background, once it has said what it is waited for."""
        task = asyncio.create_task(self.run(*argv))
        await eventually(lambda: until in self.said or task.done(), 20, f"{until} is said")
        assert not task.done(), task
        return task


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
