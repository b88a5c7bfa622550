"""The in-memory twin of the SSH target, over machines that tests script."""

import asyncio
import hashlib
import posixpath
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.targets.ssh import programs, words
from bot.targets.ssh.fake_files import FakeFile
from bot.targets.ssh.fake_places import found_at, put
from bot.targets.ssh.model import FakeMachine, FakeWork, Say
from bot.targets.ssh.words import FaultError
from procedures.engine.hosts import ASK_MS, Transcript
from procedures.engine.ports import Clock
from procedures.model.host import (
    Ended,
    FileSeen,
    Lost,
    Machine,
    Mark,
    NeverStarted,
    Running,
    Said,
    Trace,
)
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.paths import configured, scratch, writable
from procedures.model.probe import Fault

_CHUNK_BYTES = 64 * 1024
_TERMINATED = 143
_OVERDUE = 124


@dataclass(slots=True)
class FakeHosts:
    """Implements `HostLook` and `HostAct` of `procedures.engine.hosts` on machines in memory.

    It never waits for a machine that does not answer: the fault is there at once. Work runs as
    tasks of its own, which outlive whoever follows them; `sleep` takes the clock's time. A known
    program that changes something may not be used to ask. `effects` notes, in order, each command
    that was started and each file that was written.
    """

    clock: Clock
    machines: dict[str, FakeMachine] = field(default_factory=dict)
    """By name of the host."""
    writable: Callable[[Platform], tuple[str, ...]] = writable
    effects: list[str] = field(default_factory=list)
    prints: Sequence[str] = ()
    """What every piece of work prints before all else."""

    def add(self, name: str) -> FakeMachine:
        """Make a machine."""
        machine = self.machines[name] = FakeMachine(
            name, number=len(self.machines) + 1, now_ms=self.clock.now_ms
        )
        return machine

    async def machine(self, cluster: Cluster, host: Host) -> Machine | Fault:
        """Tell who it is."""
        try:
            machine = self._reach(cluster, host)
        except FaultError as error:
            return error.fault
        return Machine(machine.machine_id, machine.boot_id, machine.name)

    async def ask(
        self, cluster: Cluster, host: Host, argv: Sequence[str], limit_ms: int = ASK_MS
    ) -> Said | Fault:
        """Run a command that changes nothing."""
        try:
            machine = self._reach(cluster, host)
            if not programs.looks_only(argv):
                message = f"{list(argv)} changes something: it has to be run, not asked"
                raise AssertionError(message)
            began = self.clock.now_ms()
            async with asyncio.timeout(limit_ms / 1000):
                printed = await self._answer(machine, argv)
            self._reach(cluster, host)
        except TimeoutError:
            return words.overdue(host, argv[0], limit_ms).fault
        except FaultError as error:
            return error.fault
        if self.clock.now_ms() - began > limit_ms:
            return words.overdue(host, argv[0], limit_ms).fault
        return Said(printed.status, printed.out[: words.READ_BYTES], printed.err)

    async def read(self, cluster: Cluster, host: Host, path: str) -> FileSeen | Fault | None:
        """Read a regular file of at most 1 MiB."""
        try:
            node = self._reach(cluster, host).files.get(path)
            if node is None:
                return None
            if not isinstance(node, FakeFile):
                raise words.not_a_file(host, path)
            if len(node.content) > words.READ_BYTES:
                raise words.too_large(host, path, len(node.content))
        except FaultError as error:
            return error.fault
        return FileSeen(node.content, node.mode, node.owner, node.group, node.context)

    async def run(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        transcript: Transcript,
        stdin: bytes = b"",
    ) -> Ended:
        """Start a command, or find it, and follow it to its end."""
        self.begin(cluster, host, mark, argv, limit_ms=limit_ms, stdin=stdin)
        return await self.follow(cluster, host, mark, transcript)

    def begin(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        stdin: bytes = b"",
    ) -> None:
        """Start it unless its mark is taken; the first half of `run`."""
        machine = self._reach_to(cluster, host, words.work(argv[0]))
        if mark.run in machine.forgotten:
            raise words.forgotten(host, mark)
        place = (mark.run, mark.key)
        if place not in machine.work:
            self.effects.append(f"{host.name}: {' '.join(argv)}")
            work = machine.work[place] = FakeWork(tuple(argv))
            work.task = asyncio.create_task(self._carry(machine, work, stdin, limit_ms))
        elif machine.work[place].kept:
            raise words.kept(host, mark)

    async def follow(
        self, cluster: Cluster, host: Host, mark: Mark, transcript: Transcript
    ) -> Ended:
        """Say what it prints until it ends; the second half of `run`. A place is a line here."""
        machine = self.machines[host.name]
        work = machine.work[(mark.run, mark.key)]
        what, said = words.work(work.argv[0]), transcript.stored
        while True:
            try:
                self._reach(cluster, host)
            except FaultError as error:
                raise words.lost_sight(host, what, error.fault) from error
            while said < len(work.lines):
                said += 1
                await transcript.say(work.lines[said - 1], said)
            match work.trace:
                case Ended() as ended if said == len(work.lines):
                    return ended
                case Lost():
                    _show_fault(work)
                    raise words.lost(host, what)
                case _:
                    await machine.news()

    async def settle(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """Look for a piece of work; what was not started never will be."""
        machine = self._reach_surely(cluster, host, f"{mark.run} {mark.key}")
        if mark.run in machine.forgotten:
            return NeverStarted()
        return machine.work.setdefault((mark.run, mark.key), FakeWork(kept=True)).trace

    async def stop(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """End a piece of work, and make sure that it is gone."""
        trace = await self.settle(cluster, host, mark)
        if not isinstance(trace, Running):
            return trace
        work = self.machines[host.name].work[(mark.run, mark.key)]
        work.stopped = True
        if work.task is not None:
            work.task.cancel()
            await asyncio.wait([work.task])
        return work.trace

    async def write(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        content: bytes,
        *,
        was: str | None,
        mode: int = 0o600,
    ) -> None:
        """Put a file in the place of what `was`, at once."""
        machine = self._reach_to(cluster, host, f"writing {path}")
        found = self._look_at(cluster, host, machine, path)
        now = None if found is None else _sha256(found.content)
        if now == _sha256(content):
            return
        if now != was:
            raise words.changed(host, path, was, now)
        files = machine.files
        new = FakeFile(content, mode)
        if found is not None and now is not None:
            new = FakeFile(content, found.mode, found.owner, found.group, found.context)
        self._store(host, machine, path, new)
        if found is not None and now is not None:
            folder, name = posixpath.split(path)
            files.write(posixpath.join(folder, f".{name}.quorumbot-{now[:12]}"), found)

    async def fetch(self, cluster: Cluster, host: Host, path: str) -> AsyncIterator[bytes]:
        """Stream a file from a machine."""
        machine = self._reach_to(cluster, host, f"reading {path}")
        node = machine.files.get(path)
        if not isinstance(node, FakeFile):
            raise words.missing(host, path)
        for at in range(0, len(node.content), _CHUNK_BYTES):
            if not machine.answers:
                raise words.broke_off(host, path, at)
            yield node.content[at : at + _CHUNK_BYTES]

    async def send(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        mode: int = 0o600,
    ) -> str:
        """Stream into a new file, whole or not at all."""
        machine = self._reach_to(cluster, host, f"writing {path}")
        self._look_at(cluster, host, machine, path)
        data = bytearray()
        async for chunk in chunks:
            data += chunk
            self._reach_to(cluster, host, f"writing {path}")
        content = bytes(data)
        found = self._look_at(cluster, host, machine, path)
        if found is None:
            self._store(host, machine, path, FakeFile(content, mode))
        elif found.content != content:
            raise words.in_the_way(host, path)
        return _sha256(content)

    async def forget(self, cluster: Cluster, host: Host, run: RunId) -> None:
        """Remove what is kept of a run."""
        machine = self._reach_to(cluster, host, f"clearing up after {run}")
        mine = [place for place in machine.work if place[0] == run]
        if any(isinstance(machine.work[place].trace, Running) for place in mine):
            raise words.still_running(host, run)
        for place in mine:
            machine.over[place] = machine.work.pop(place)
        machine.files.remove(scratch(run))
        machine.forgotten.add(run)

    async def close(self) -> None:
        """Power all machines off, so that nothing outlives a test."""
        tasks: list[asyncio.Task[None]] = []
        for machine in self.machines.values():
            machine.power_off()
            tasks += machine.killed
        if tasks:
            await asyncio.wait(tasks)

    async def _carry(
        self, machine: FakeMachine, work: FakeWork, stdin: bytes, limit_ms: int
    ) -> None:
        async def say(line: str) -> None:
            work.lines.append(line)
            machine.tell()

        began = self.clock.now_ms()
        try:
            for line in self.prints:
                await say(line)
            async with asyncio.timeout(limit_ms / 1000):
                status = await self._execute(machine, work.argv, stdin, say)
            late = self.clock.now_ms() - began > limit_ms
            work.status = _OVERDUE if late else status
        except TimeoutError:
            work.status = _OVERDUE
        except asyncio.CancelledError:
            if work.stopped:
                work.status = _TERMINATED
            raise
        finally:
            machine.tell()

    async def _execute(
        self, machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say
    ) -> int:
        """Run a program; gives its status."""
        special = machine.programs.get(posixpath.basename(argv[0]))
        if special is not None:
            return await special(machine, argv, stdin, say)
        if posixpath.basename(argv[0]) == "sleep":
            await self.clock.sleep_ms(int(float(argv[1]) * 1000))
            return 0
        printed = programs.perform(machine, argv, stdin)
        for line in _lines(printed.out + printed.err):
            await say(line)
        return printed.status

    async def _answer(self, machine: FakeMachine, argv: Sequence[str]) -> programs.Printed:
        """Run a program that only looks; what it prints is not cut into lines."""
        if posixpath.basename(argv[0]) not in {"sleep", *machine.programs}:
            return programs.perform(machine, argv, b"")
        lines: list[str] = []

        async def say(line: str) -> None:
            lines.append(f"{line}\n")

        status = await self._execute(machine, argv, b"", say)
        return programs.Printed(status, "".join(lines))

    def _look_at(
        self, cluster: Cluster, host: Host, machine: FakeMachine, path: str
    ) -> FakeFile | None:
        places = (*self.writable(cluster.platform), *configured(cluster, host))
        return found_at(machine, host, path, places)

    def _store(self, host: Host, machine: FakeMachine, path: str, file: FakeFile) -> None:
        put(machine, host, path, file)
        self.effects.append(f"{host.name}: write {path}")

    def _reach(self, cluster: Cluster, host: Host) -> FakeMachine:
        machine = self.machines.get(host.name)
        if machine is None or not machine.answers:
            raise words.unreachable(host, cluster.deadline_ms)
        if machine.fault is not None:
            raise FaultError(machine.fault.kind, machine.fault.message)
        return machine

    def _reach_to(self, cluster: Cluster, host: Host, what: str) -> FakeMachine:
        """The machine, where nothing was done yet."""
        try:
            return self._reach(cluster, host)
        except FaultError as error:
            raise words.not_begun(what, error.fault) from error

    def _reach_surely(self, cluster: Cluster, host: Host, what: str) -> FakeMachine:
        """The machine, where something may have been done."""
        try:
            return self._reach(cluster, host)
        except FaultError as error:
            raise words.not_asked(host, what, error.fault.message) from error


def _show_fault(work: FakeWork) -> None:
    """A fault in a test's own program is the test's."""
    if work.task is not None and not work.task.cancelled() and (fault := work.task.exception()):
        raise fault


def _lines(out: str) -> Iterable[str]:
    return out.removesuffix("\n").split("\n") if out else ()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
