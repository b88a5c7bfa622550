"""A process of its own that saves one snapshot, and can be killed in the middle of a call.

Arguments: directory, file with a snapshot, tool, time in ms, and the number of the system call,
among those of the saving thread, that it does not survive (0: none). It prints how many it made.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from procedures.model.snapshot import Retention
from tests.contract.backups.values import a_cluster, an_origin, stream

CALLS = ("open", "mkdir", "write", "fsync", "rename", "unlink", "close")


@dataclass(frozen=True, slots=True)
class Clock:
    """Stands still."""

    ms: int

    def now_ms(self) -> int:
        return self.ms

    async def sleep_ms(self, duration_ms: int) -> None:
        raise NotImplementedError


class Doom:
    """Kills the process right before a call, or in the middle of one that writes."""

    def __init__(self, limit: int) -> None:
        self.made = 0
        self._limit = limit
        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **kwargs: object) -> object:
            if threading.current_thread().name.startswith("backup"):
                self.made += 1
                if self.made == self._limit:
                    if name == "write" and isinstance(args[1], memoryview):
                        call(args[0], args[1][: len(args[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return counted


async def main(directory: str, snapshot: str, tool: str, now_ms: str, limit: str) -> None:
    """Save, and rotate with a retention that keeps all."""
    data = await asyncio.to_thread(Path(snapshot).read_bytes)
    backups = LocalBackups(Path(directory), Tools({"3.4": tool}), Clock(int(now_ms)))
    doom = Doom(int(limit))
    await backups.save(a_cluster(), an_origin(1), stream(data))
    print(doom.made)
    await backups.rotate(a_cluster(), Retention(1, 100))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
