"""What fronts need to record, as a test can move and break it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.recording import Recorder
from procedures.model.audit import Head
from procedures.model.errors import Retryable


@dataclass(slots=True)
class Channel:
    """A board that keeps what was posted, and fails when told to."""

    posted: list[Head] = field(default_factory=list)
    fails: bool = False

    async def post(self, head: Head) -> None:
        if self.fails:
            message = "not_in_channel"
            raise Retryable(message)
        self.posted.append(head)


@dataclass(slots=True)
class Clock:
    """The fronts' time; it moves with the real one and can be moved ahead."""

    ahead_ms: int = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


MakeFront: TypeAlias = Callable[..., Recorder]
