"""Faults of a disk in words that say what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from procedures.model.errors import Permanent, QuorumbotError, Retryable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_DIRECTORY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_MIB = 1024**2


@contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Translate the system's errors; `where` is the directory that they are about."""
    try:
        yield
    except OSError as error:
        raise _translated(where, error) from error


def full(where: Path, free: int, needed: int) -> Retryable:
    """Too little space is free; sizes in bytes."""
    return Retryable(
        f"{where} has {free // _MIB} MiB free, and {-(-needed // _MIB)} MiB are needed: free some "
        "space there, and try again."
    )


def _translated(where: Path, error: OSError) -> QuorumbotError:
    why = (error.strerror or str(error)).lower()
    if error.errno in _FULL:
        return Retryable(f"The disk of {where} is full: free some space there, and try again.")
    if error.errno in _DENIED:
        return Permanent(
            f"{where} cannot be used for backups ({why}): give it to the user that the worker "
            "runs as, writable, with mode 700."
        )
    if error.errno in _NO_DIRECTORY:
        return Permanent(
            f"{where} is no directory that backups can be kept in ({why}): create it, or mount "
            "what belongs there. A symbolic link below it is not followed."
        )
    if error.errno == errno.EIO:
        return Permanent(f"The disk of {where} fails ({why}): look at its state before all else.")
    return Retryable(f"{where} cannot be used for backups now: {why}. Try again.")
