"""A snapshot on its way in: a private file without a final name, hashed while it is written."""

import fcntl
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bot.targets.backups.disk_errors import disk_errors, full
from bot.targets.backups.folder import SCRATCH, Folder
from bot.targets.backups.naming import DATA, RECORD
from bot.targets.backups.trailer import Trailer

RESERVE = 64 * 1024**2
"""Bytes that are always left free, because etcd itself may live on the same disk."""


class Spool:
    """Blocks, and is used by one thread at a time. Faults of the disk come with words.

    What is not kept is gone after `close`, and after a later `begin` when the process was killed.
    """

    def __init__(self, parent: Path, name: str, expected: int) -> None:
        """Write below `parent/name`; the snapshot will take about `expected` bytes, 0: unknown."""
        self.trailer = Trailer()
        scratch = SCRATCH + secrets.token_hex(8)
        self.scratch, self.record_scratch = scratch + DATA, scratch + RECORD
        self._parent, self._name, self._expected = parent, name, expected
        self._folder: Folder | None = None
        self._descriptor: int | None = None

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._parent / self._name / self.scratch

    @property
    def folder(self) -> Folder:
        """The directory that it is in."""
        assert self._folder is not None  # noqa: S101 - begun
        return self._folder

    @property
    def descriptor(self) -> int:
        """The open file."""
        assert self._descriptor is not None  # noqa: S101 - begun
        return self._descriptor

    def begin(self) -> None:
        """Create the file, after what killed saves have left is gone, where there is space."""
        self._folder = Folder.open(self._parent, self._name, create=True)
        with disk_errors(self.folder.path):
            for name in self.folder.names():
                if name.startswith(SCRATCH):
                    self.folder.remove_abandoned(name)
            # Twice the size (R13), so that the next one fits too.
            self._need(max(2 * (self._expected or self._largest()), RESERVE))
            self._descriptor = self.folder.create(self.scratch)
            # Tells other processes that this file is in use. It is shared, because bbolt takes
            # a shared lock too on what it reads.
            fcntl.flock(self.descriptor, fcntl.LOCK_SH)

    def write(self, chunks: Sequence[bytes]) -> None:
        """Append chunks."""
        with disk_errors(self.folder.path):
            self._need(RESERVE)
            data = memoryview(b"".join(chunks))
            self.trailer.update(data)
            while data:
                data = data[os.write(self.descriptor, data) :]

    def settle(self) -> None:
        """Have it on the disk."""
        with disk_errors(self.folder.path):
            os.fsync(self.descriptor)

    def close(self) -> None:
        """Remove it, unless it has been given another name. Does not raise."""
        if self._folder is not None:
            for name in (self.scratch, self.record_scratch):
                with suppress(OSError):
                    self._folder.remove(name)
            self._folder.close()
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _largest(self) -> int:
        names = (name for name in self.folder.names() if name.endswith(DATA))
        return max((self.folder.size(name) or 0 for name in names), default=0)

    def _need(self, size: int) -> None:
        free = self.folder.free()
        if free < size:
            raise full(self.folder.path, free, size)
