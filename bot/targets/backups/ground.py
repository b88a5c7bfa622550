"""A folder of this machine in which a snapshot is tried, and which is gone afterwards."""

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.targets.backups.disk_errors import disk_errors, full

_NAME = "quorumbot-drill-"
_LOCK = "lock"


@contextmanager
def ground(parent: Path, needed: int) -> Iterator[Path]:
    """Make a folder that only we can enter, where `needed` bytes are free. It blocks.

    What processes that were killed have left there is removed first. It is locked as long as its
    process lives, so that nobody takes what is in use for left over.
    """
    with disk_errors(parent):
        clear(parent)
        free = shutil.disk_usage(parent).free
        if free < needed:
            raise full(parent, free, needed)
        folder = parent / f"{_NAME}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clear(parent: Path) -> None:
    """Remove what killed processes of this user have left. Raises OSError."""
    for folder in parent.glob(f"{_NAME}*"):
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            continue
        if _abandoned(folder / _LOCK):
            shutil.rmtree(folder, ignore_errors=True)


def _abandoned(lock: Path) -> bool:
    """Tell whether nobody holds it. Without one, its process died right after making the folder."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
