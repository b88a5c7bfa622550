"""The workspace's time."""

import time
from pathlib import Path


class Clock:
    """Real time plus whatever a tester advanced; Unix seconds.

    A file tells others by how many ms; it also keeps that from one start to the next.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Start at real time, or where the file says."""
        self._file = file
        self._offset = int(file.read_text()) / 1_000 if file and file.exists() else 0.0
        self._last_stamp = 0

    def now(self) -> float:
        """Return the workspace's time in Unix seconds."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the workspace's time forward."""
        self._offset += seconds
        if self._file:
            draft = self._file.with_name(f".{self._file.name}")
            draft.write_text(f"{round(self._offset * 1_000)}\n")
            draft.replace(self._file)

    def stamp(self) -> str:
        """Return a message timestamp (`seconds.micros`), greater than every earlier one."""
        self._last_stamp = max(int(self.now() * 1_000_000), self._last_stamp + 1)
        seconds, micros = divmod(self._last_stamp, 1_000_000)
        return f"{seconds}.{micros:06d}"
