"""One control group per host: what kills, freezes and limits all that runs on it.

It exists in the cgroup2 hierarchy and, where these are mounted as of old, in the hierarchies of
the memory controller and of systemd, whose guest would else share one with all others.
"""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.testbed.errors import BedError
from tests.testbed.needs import unified
from tests.testbed.shell import until

_OLD = ("memory", "systemd")
_JOIN = 'for file in "$@"; do shift; [ "$file" != -- ] || break; echo $$ >"$file"; done; exec "$@"'


def _hierarchies() -> list[Path]:
    """All that are used here, cgroup2 first."""
    first = unified()
    if not first:
        raise BedError("there is no cgroup2 hierarchy")
    old = (first.parent / name for name in _OLD)
    return [first, *(path for path in old if (path / "cgroup.procs").exists())]


class Cgroup:
    """A control group by its path from the root of each hierarchy, like `qb3f2a1c/etcd-1`."""

    def __init__(self, name: str) -> None:
        self._unified, *self._old = (hierarchy / name for hierarchy in _hierarchies())

    def create(self) -> None:
        for path in (self._unified, *self._old):
            path.mkdir(parents=True, exist_ok=True)
        controllers = self._unified.parent / "cgroup.subtree_control"
        if not self._old and "memory" not in controllers.read_text():
            for level in (self._unified.parent.parent, self._unified.parent):
                (level / "cgroup.subtree_control").write_text("+memory")

    def joined(self, argv: Sequence[str]) -> list[str]:
        """The same command, whose process is in this group before it starts."""
        files = [str(path / "cgroup.procs") for path in (self._unified, *self._old)]
        return ["sh", "-c", _JOIN, "sh", *files, "--", *argv]

    def processes(self) -> list[int]:
        """All that live in it and below."""
        found: list[int] = []
        for folder, _, _ in os.walk(self._unified):
            try:
                found += map(int, (Path(folder) / "cgroup.procs").read_text().split())
            except OSError:  # it went while we looked
                continue
        return found

    def kill(self) -> None:
        """SIGKILL to all, frozen or not; returns when none is left."""
        if self._unified.exists():
            (self._unified / "cgroup.kill").write_text("1")
            until(lambda: self._event("populated") == 0, 10, f"all in {self._unified} are gone")

    @property
    def frozen(self) -> bool:
        return self._event("frozen") == 1

    def freeze(self, *, frozen: bool) -> None:
        """Stop all, or let them go on; returns when they are."""
        (self._unified / "cgroup.freeze").write_text(str(int(frozen)))
        until(lambda: self._event("frozen") == frozen, 10, f"{self._unified} frozen: {frozen}")

    def limit_memory(self, mebibytes: int | None) -> None:
        """Let all together have so much; the kernel's killer decides who goes. None: no limit.

        Raises BedError when they have more already.
        """
        if self._old and self._old[0].parent.parent.name == "memory":
            file, unlimited = self._old[0] / "memory.limit_in_bytes", "-1"
        else:
            file, unlimited = self._unified / "memory.max", "max"
        try:
            file.write_text(str(mebibytes << 20) if mebibytes else unlimited)
        except OSError as error:
            raise BedError(f"cannot limit memory to {mebibytes} MiB: {error.strerror}") from error

    def remove(self) -> None:
        """Kill all and remove the group with those below it."""
        self.kill()
        for top in (self._unified, *self._old):
            for folder, _, _ in os.walk(top, topdown=False):
                # An old hierarchy hears of the end of a process a little later.
                until(partial(_removed, Path(folder)), 10, f"{folder} is removed")

    def _event(self, name: str) -> int:
        fields = (self._unified / "cgroup.events").read_text().split()
        return int(fields[fields.index(name) + 1])


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
