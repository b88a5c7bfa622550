"""Who owns what: each testbed has a name, a folder and a lock, and can be removed by its name.

A testbed's lock is held for as long as its process lives. What is found unlocked was left by one
that was killed, and is removed by the next that starts. Everything outside the folder (control
groups, namespaces) carries the testbed's name, so that nobody removes what is another's.
"""

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.testbed.base import cache, held_base
from tests.testbed.cgroups import Cgroup
from tests.testbed.machine import forget
from tests.testbed.namespaces import Namespace
from tests.testbed.network import dismantle
from tests.testbed.shell import call

_LOCKS = Path("/run/quorumbot-testbeds")
_NSPAWN = Path("/run/systemd/nspawn")


@contextmanager
def new_bed() -> Iterator[Path]:
    """A folder for a new testbed, whose name is the testbed's; all that is left is removed after.

    Removes what dead owners left, first.
    """
    remove_leftovers()
    folder = cache() / "beds" / f"qb{secrets.token_hex(3)}"
    lock_file = _LOCKS / folder.name
    _LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _LOCKS / f".{folder.name}"
    with draft.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(folder))
        lock.flush()
        draft.rename(lock_file)  # nobody sees it without its lock
        try:
            folder.mkdir(mode=0o711, parents=True)
            yield folder
        finally:
            _remove(folder)
            lock_file.unlink()


@contextmanager
def private_namespace() -> Iterator[Namespace]:
    """A namespace for a process that talks to hosts; goes like a testbed does.

    Builds the base where it is missing: from inside, no Debian mirror can be reached.
    """
    with held_base(), new_bed() as folder:
        yield Namespace.create(f"{folder.name}-bot")


def remove_leftovers() -> list[str]:
    """Remove the testbeds whose owners are dead; returns their names."""
    removed = []
    for lock_file in sorted(_LOCKS.glob("qb*")):
        with suppress(FileNotFoundError, BlockingIOError), lock_file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(Path(lock.read()))
            lock_file.unlink(missing_ok=True)
            removed.append(lock_file.name)
    return removed


def _remove(folder: Path) -> None:
    """Remove a testbed, whatever is there of it."""
    name = folder.name
    Cgroup(name).kill()
    for path in mounts_below(folder):
        forget(path)
        call(["umount", str(path)])
    dismantle(name)
    Cgroup(name).remove()
    for left in _NSPAWN.glob(f"*/{name}-*"):  # it has no time to clean up when it is killed
        shutil.rmtree(left)
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def mounts_below(folder: Path) -> list[Path]:
    """What is mounted below a folder, the last first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    places = [line.split()[1].encode().decode("unicode_escape") for line in lines]
    return [Path(place) for place in reversed(places) if Path(place).is_relative_to(folder)]
