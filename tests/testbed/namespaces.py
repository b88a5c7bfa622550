"""Network namespaces: of each host, of the bridge between them, and of whoever talks to them.

Addresses of a testbed exist only inside. Whoever wants to reach hosts is in the bot's namespace:

- a child process, by `namespace.command(argv)`;
- a thread, and all threads and processes that it starts, by `namespace.enter()`.

Tests do the second, once, for the whole pytest process and before anything has started a thread
(`tests/hosts/conftest.py`): then every library, fixture and child is in, loopback included, and no
test needs to know. The price is that `tests/hosts` has a pytest process of its own, because what
is on the machine's loopback cannot be seen from there.
"""

import ctypes
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from tests.testbed.errors import BedError
from tests.testbed.needs import CLONE_NEWNET
from tests.testbed.shell import attempt, call

T = TypeVar("T")
NAMED = Path("/run/netns")


class Namespace:
    """A named network namespace; loopback is up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = NAMED / name

    @classmethod
    def create(cls, name: str) -> Self:
        """Make it. Raises BedError when there is one of that name."""
        call(["ip", "netns", "add", name])
        made = cls(name)
        made.ip("link", "set", "lo", "up")
        return made

    def ip(self, *arguments: str) -> str:
        """`ip` inside; returns what it printed."""
        return call(["ip", "-n", self.name, *arguments])

    def command(self, argv: Sequence[str]) -> list[str]:
        """The same command, inside."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def enter(self) -> None:
        """Move the calling thread inside, and what it starts from now on. There is no way back."""
        file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(file, CLONE_NEWNET) != 0:
                reason = os.strerror(ctypes.get_errno())
                raise BedError(f"cannot enter network namespace {self.name}: {reason}")
        finally:
            os.close(file)

    def inside(self, work: Callable[[], T]) -> T:
        """Call `work` inside, in a thread of its own; returns or raises what it does."""
        with ThreadPoolExecutor(1, initializer=self.enter) as pool:
            return pool.submit(work).result()

    def remove(self) -> None:
        """Remove it and the links in it, if it is there."""
        attempt(["ip", "netns", "delete", self.name])
