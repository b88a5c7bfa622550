"""The instant at which an answer has to be there."""

import asyncio
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant on the event loop's clock, and how long the wait was at first, for messages."""

    at: float
    duration_ms: int

    @classmethod
    def after(cls, duration_ms: int) -> Self:
        """Begin to count now."""
        return cls(asyncio.get_running_loop().time() + duration_ms / 1000, duration_ms)

    @property
    def left_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - asyncio.get_running_loop().time())
