"""Time as it is."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path


class WallClock:
    """The clock of this machine; in a sandbox, `shift` is a file with the ms it was moved by."""

    def __init__(self, shift: Path | None = None) -> None:
        self._shift = shift

    def now_ms(self) -> int:
        """Unix time in ms."""
        return time.time_ns() // 1_000_000 + self._shift_ms()

    async def sleep_ms(self, duration_ms: int) -> None:
        """Wait."""
        await asyncio.sleep(duration_ms / 1_000)

    def _shift_ms(self) -> int:
        if self._shift is not None:
            with suppress(OSError, ValueError):
                return int(self._shift.read_text())
        return 0
