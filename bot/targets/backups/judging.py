"""Whether what lies in a store is still what was put there."""

from bot.targets.backups.trailer import Trailer
from procedures.model.errors import Permanent
from procedures.model.snapshot import Snapshot

BLOCK = 4 * 1024**2
"""Bytes to read at a time."""

MISSING = "is not there any more"
RECORD_MISSING = "is whole, but its record is missing or not its own, so it is not listed"


def difference(snapshot: Snapshot, seen: Trailer) -> str | None:
    """Say how what was read differs from the snapshot that was stored; None: it does not."""
    if (seen.size, seen.sha256) == (snapshot.size, snapshot.sha256):
        return None
    if seen.fault is None:
        return f"is another whole snapshot than the one that was stored: SHA-256 {seen.sha256}"
    if seen.size < snapshot.size:
        return f"is cut off: {seen.size} of {snapshot.size} bytes are there"
    if seen.size > snapshot.size:
        return f"has grown: it is {seen.size} bytes long, and {snapshot.size} were stored"
    return f"is damaged: its SHA-256 is {seen.sha256}, and {snapshot.sha256} was stored"


def gone(snapshot: Snapshot) -> Permanent:
    """It cannot be read: nothing of its name is there."""
    return Permanent(f"{snapshot.name} {MISSING}. Choose another snapshot.")


def changed_length(snapshot: Snapshot, size: int) -> Permanent:
    """It was read, and is not as long as it was stored."""
    return Permanent(
        f"{snapshot.name} has {size} bytes, and {snapshot.size} were stored: it was changed since. "
        "Choose another snapshot."
    )
