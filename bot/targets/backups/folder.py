"""A directory that belongs to one cluster. Everything here blocks.

What is done in a directory that is open raises OSError, for `disk_errors` around it.
"""

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from bot.targets.backups.disk_errors import disk_errors
from procedures.model.errors import Permanent, Retryable

SCRATCH = ".saving-"
"""How the names of files begin that have no final name yet."""

_LOCK = ".lock"
_LOCK_WAIT_S, _LOCK_POLL_S = 300.0, 0.05
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ABANDONED_S = 15 * 60
"""A save writes or holds its scratch file at least as often; where locks do not work, this has to
do."""


class Folder:
    """A directory held open: no name in it is ever looked up by a path, nor through a link."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, parent: Path, name: str, *, create: bool) -> Self | None:
        """Open `parent/name`; None where it is not there, unless it may be created (0700).

        `parent` has to be there. Raises Permanent for a directory of another user. That others
        may write to it is ended, and no more: Kubernetes opens volumes to their group.
        """
        with disk_errors(parent):
            above = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=above)
                        os.fsync(above)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(name, flags, dir_fd=above)
            except FileNotFoundError:
                if create:
                    raise
                return None
            finally:
                os.close(above)
            folder = cls(parent / name, descriptor)
            try:
                folder._make_safe()
            except BaseException:
                folder.close()
                raise
        return folder

    def _make_safe(self) -> None:
        status = os.fstat(self._descriptor)
        if status.st_uid != os.geteuid():
            message = (
                f"{self.path} belongs to another user, who could put something else in place of a "
                "backup: chown it to the user that the worker runs as."
            )
            raise Permanent(message)
        if status.st_mode & _OTHERS_MAY_WRITE:
            os.fchmod(self._descriptor, stat.S_IMODE(status.st_mode) & ~_OTHERS_MAY_WRITE)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def names(self) -> list[str]:
        """What is in it."""
        return os.listdir(self._descriptor)  # noqa: PTH208 - of what is open, not of a path

    def create(self, name: str) -> int:
        """Create a file for us alone (0600), and open it for reading and writing."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=self._descriptor)

    def read(self, name: str) -> int:
        """Open a regular file for reading; anything else counts as not there."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        if self.size(name) is None:
            raise FileNotFoundError(name)
        return os.open(name, flags, dir_fd=self._descriptor)

    def size(self, name: str) -> int | None:
        """The size of a regular file in bytes, None where there is none."""
        try:
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def free(self) -> int:
        """Bytes that may still be written."""
        figures = os.fstatvfs(self._descriptor)
        return figures.f_bavail * figures.f_frsize

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in place of what has that name, and make it last."""
        os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        self.sync()

    def remove(self, name: str) -> bool:
        """Remove a file; False when it was not there."""
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return False
        return True

    def sync(self) -> None:
        """Have all names on the disk as they are."""
        os.fsync(self._descriptor)

    def remove_abandoned(self, name: str) -> None:
        """Remove a file of ours that is old, and that no living process has locked."""
        with suppress(FileNotFoundError, BlockingIOError):
            descriptor = self.read(name)
            try:
                status = os.fstat(descriptor)
                old = time.time() - status.st_mtime > _ABANDONED_S
                if old and status.st_uid == os.geteuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.remove(name)
            finally:
                os.close(descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory's lock, against all processes. Raises Retryable after 5 min.

        It takes that long where a rotation deletes many large files.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(_LOCK, flags, 0o600, dir_fd=self._descriptor)
        try:
            self._wait_for(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _wait_for(self, descriptor: int) -> None:
        give_up_at = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up_at:
                    message = f"Another process keeps {self.path} busy: try again."
                    raise Retryable(message) from None
                time.sleep(_LOCK_POLL_S)
            else:
                return
