"""Sandboxes in processes of their own."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.waiting import alive

FAKE = (sys.executable, "-m", "tests.support.fake_bot", "sandbox")
REAL = (sys.executable, "-m", "bot.main", "sandbox", "--no-browser")
_MARK = "QUORUMBOT_TEST_SANDBOX"


class SandboxProcess:
    """A sandbox, and all processes that it started, found by a mark in their environment."""

    def __init__(self, process: asyncio.subprocess.Process, mark: str, temporary: Path) -> None:
        self.lines: list[str] = []
        self.temporary = temporary
        self._around = temporary.parent
        self._process = process
        self._mark = mark.encode()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def url(self) -> str:
        """The page's address, once it is ready."""
        return self.lines[self.lines.index("ready") - 1]

    async def until(self, start: str, seconds: float = 60) -> str:
        """Read its output up to the line that starts like this, and return that line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(seconds):
            while line := (await self._process.stdout.readline()).decode().rstrip("\n"):
                self.lines.append(line)
                if line.startswith(start):
                    return line
        raise AssertionError(f"it ended without {start!r}: {self.lines}, {await self.errors()}")

    async def ready(self) -> None:
        await self.until("ready")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self, seconds: float = 15) -> int:
        """Wait for its end; returns the exit status."""
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    async def errors(self) -> str:
        """All that it wrote to stderr until its end."""
        assert self._process.stderr is not None
        async with asyncio.timeout(15):
            return (await self._process.stderr.read()).decode()

    def survivors(self) -> dict[int, str]:
        """Processes of this sandbox that are alive, by id."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    marked = self._mark in (entry / "environ").read_bytes()
                    # Redis writes its title over its environment; it works in its directory.
                    marked = marked or (entry / "cwd").readlink().is_relative_to(self._around)
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except OSError:
                    continue
                if marked and alive(int(entry.name)):
                    found[int(entry.name)] = command
        return found

    def temporary_directories(self) -> list[Path]:
        """What is in its TMPDIR."""
        return list(self.temporary.iterdir())


@asynccontextmanager
async def sandbox(
    temporary: Path, *args: str, command: Sequence[str] = FAKE, env: dict[str, str] | None = None
) -> AsyncIterator[SandboxProcess]:
    """Start one, its temporary directory below `temporary`; it is ended with the context."""
    own = temporary / f"tmp-{secrets.token_hex(4)}"
    own.mkdir()
    mark = f"{_MARK}={secrets.token_hex(8)}"
    name, _, value = mark.partition("=")
    process = await asyncio.create_subprocess_exec(
        *command,
        *args,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(own), name: value} | (env or {}),
    )
    running = SandboxProcess(process, mark, own)
    try:
        yield running
    finally:
        if process.returncode is None:
            running.signal(signal.SIGTERM)
            try:
                await running.ended()
            except TimeoutError:
                running.signal(signal.SIGKILL)
        await process.communicate()
