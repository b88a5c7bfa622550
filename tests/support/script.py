"""Where a worker in memory crashes or stalls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


class Crash(BaseException):
    """The worker is gone."""


@dataclass(slots=True)
class Script:
    """Where a worker crashes: at the `crash_at`-th point, counted from 0; never when None.

    A point lies before and after each journal write, and before and after each call that changes
    something. At `stall_at` it stalls before the call instead, and `meanwhile` happens; `at_guard`
    happens at each look at the lease.
    """

    crash_at: int | None = None
    stall_at: int | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None
    passed: int = 0
    calls: int = 0
    guarded: bool = False
    at_guard: Callable[[], None] = lambda: None

    def point(self) -> None:
        """Pass a point, or crash at it."""
        self.passed += 1
        if self.crash_at is not None and self.passed - 1 == self.crash_at:
            raise Crash

    async def call(self) -> None:
        """Pass the moment between the look at the lease, which must have been, and the call."""
        assert self.guarded, "a call without a look at the lease right before"
        self.guarded = False
        self.calls += 1
        if self.stall_at is not None and self.calls - 1 == self.stall_at and self.meanwhile:
            await self.meanwhile()
