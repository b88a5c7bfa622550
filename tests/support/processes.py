"""The processes of a running sandbox, by the names of their pid files."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import alive, eventually


class Processes:
    """Signals to `front`, `worker`, `redis` and `etcd-demo-N`, whoever has that part now."""

    def __init__(self, directory: Path) -> None:
        self._pids = directory / "pids"

    def all(self) -> dict[str, int]:
        found = {}
        for file in self._pids.iterdir():
            if not file.name.startswith("."):  # a draft
                with suppress(FileNotFoundError):
                    found[file.name] = int(file.read_text())
        return found

    def pid(self, name: str) -> int:
        return int((self._pids / name).read_text())

    def send(self, name: str, number: signal.Signals) -> int:
        """Send a signal; returns the id of the process that got it."""
        pid = self.pid(name)
        os.kill(pid, number)
        return pid

    async def kill(self, name: str) -> None:
        """SIGKILL, and wait until another process has its place."""
        await self.replaced(name, self.send(name, signal.SIGKILL))

    async def replaced(self, name: str, before: int, seconds: float = 20) -> None:
        """Wait until another process than `before` has its place."""

        def back() -> bool:
            pid = self.all().get(name, before)
            return pid != before and alive(pid)

        await eventually(back, seconds, f"{name} is started again")

    @contextmanager
    def frozen(self, name: str) -> Iterator[int]:
        """SIGSTOP for as long as the context lasts."""
        pid = self.send(name, signal.SIGSTOP)
        try:
            yield pid
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
