"""The workspace's time."""

import time


class Clock:
    """Real time plus whatever a tester advanced; Unix seconds."""

    def __init__(self) -> None:
        """Start at real time."""
        self._offset = 0.0
        self._last_stamp = 0

    def now(self) -> float:
        """Return the workspace's time in Unix seconds."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the workspace's time forward."""
        self._offset += seconds

    def stamp(self) -> str:
        """Return a message timestamp (`seconds.micros`), greater than every earlier one."""
        self._last_stamp = max(int(self.now() * 1_000_000), self._last_stamp + 1)
        seconds, micros = divmod(self._last_stamp, 1_000_000)
        return f"{seconds}.{micros:06d}"
