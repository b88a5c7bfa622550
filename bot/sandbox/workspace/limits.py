"""Rate limits: per method and app, as Slack's tiers have them."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PerMinute:
    """At most `calls` in any sixty seconds."""

    calls: int


@dataclass(frozen=True, slots=True)
class Steady:
    """One call each `every` seconds on average, `burst` at once; per channel when `by_channel`."""

    every: float
    burst: int
    by_channel: bool = False


Limit = PerMinute | Steady

# Two clients per process and restarts within minutes are normal use; Slack allows ten sockets.
TIER_1: tuple[Limit, ...] = (Steady(every=60, burst=20),)
TIER_2: tuple[Limit, ...] = (PerMinute(20),)
TIER_3: tuple[Limit, ...] = (PerMinute(50),)
TIER_4: tuple[Limit, ...] = (PerMinute(100),)
SPECIAL: tuple[Limit, ...] = (PerMinute(300),)
POSTING: tuple[Limit, ...] = (PerMinute(300), Steady(every=1, burst=5, by_channel=True))

_MINUTE = 60.0


class RateLimiter:
    """Counts calls on real time, because callers sleep `Retry-After` in real time."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing spent."""
        self._monotonic = monotonic
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._due: dict[tuple[str, str], float] = {}

    def retry_after(self, method: str, limits: tuple[Limit, ...], channel: str) -> int | None:
        """Spend one call, or return after how many whole seconds it may be tried again."""
        now = self._monotonic()
        waits = [self._wait(method, limit, channel, now) for limit in limits]
        if any(wait > 0 for wait in waits):
            return max(1, math.ceil(max(waits)))
        for limit in limits:
            self._spend(method, limit, channel, now)
        return None

    def _wait(self, method: str, limit: Limit, channel: str, now: float) -> float:
        if isinstance(limit, PerMinute):
            calls = self._calls[method, ""]
            while calls and calls[0] <= now - _MINUTE:
                calls.popleft()
            return calls[0] + _MINUTE - now if len(calls) >= limit.calls else 0.0
        due = self._due.get((method, channel if limit.by_channel else ""), now)
        return due - limit.every * (limit.burst - 1) - now

    def _spend(self, method: str, limit: Limit, channel: str, now: float) -> None:
        if isinstance(limit, PerMinute):
            self._calls[method, ""].append(now)
            return
        key = (method, channel if limit.by_channel else "")
        self._due[key] = max(self._due.get(key, now), now) + limit.every
