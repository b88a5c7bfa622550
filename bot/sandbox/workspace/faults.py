"""Faults that a tester switches on."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.workspace.wire import Wire


class FaultKind(StrEnum):
    """What can go wrong."""

    RATE_LIMIT = "rate_limit"
    HTTP_5XX = "http_5xx"
    SLOW = "slow"
    DROP_ACK = "drop_ack"
    DUPLICATE = "duplicate"
    DISCONNECT = "disconnect"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and its reach; `method` None means every Web API method."""

    kind: FaultKind
    method: str | None = None
    retry_after: int = 1
    delay_s: float = 0.0
    status: int = 503
    after: bool = False
    """For `http_5xx`: the call takes effect and only its answer is lost."""
    count: int | None = None
    seconds: float | None = None


@dataclass(slots=True)
class _Active:
    id: str
    fault: Fault
    left: int | None
    until: float | None

    def wire(self) -> Wire:
        fault = self.fault
        remaining = None if self.until is None else max(0.0, self.until - time.monotonic())
        told = {
            "method": fault.method,
            "retry_after": fault.retry_after if fault.kind is FaultKind.RATE_LIMIT else None,
            "delay_s": fault.delay_s if fault.kind is FaultKind.SLOW else None,
            "status": fault.status if fault.kind is FaultKind.HTTP_5XX else None,
            "count_left": self.left,
            "seconds_left": None if remaining is None else round(remaining, 1),
        }
        known = {key: value for key, value in told.items() if value is not None}
        return {"id": self.id, "kind": fault.kind.value, **known}


class Faults:
    """The faults in force, oldest first; durations are real time."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever a fault begins or ends."""
        self._changed = changed
        self._active: list[_Active] = []
        self._issued = 0

    def add(self, fault: Fault) -> str:
        """Switch a fault on and return its id."""
        self._issued += 1
        until = None if fault.seconds is None else time.monotonic() + fault.seconds
        active = _Active(f"f{self._issued}", fault, fault.count, until)
        self._active.append(active)
        if fault.seconds is not None:
            asyncio.get_running_loop().call_later(fault.seconds, self._end, active)
        self._changed()
        return active.id

    def remove(self, fault_id: str) -> bool:
        """Switch a fault off; False when there is no such fault."""
        found = next((active for active in self._active if active.id == fault_id), None)
        if found is not None:
            self._end(found)
        return found is not None

    def take(self, kind: FaultKind, method: str | None = None) -> Fault | None:
        """Return the first fault that applies, spending one of its count."""
        now = time.monotonic()
        for active in self._active:
            fault = active.fault
            in_time = active.until is None or now < active.until
            if fault.kind is kind and fault.method in (None, method) and in_time:
                if active.left is not None:
                    active.left -= 1
                    if active.left <= 0:
                        self._end(active)
                return fault
        return None

    def wire(self) -> list[Wire]:
        """Describe the faults in force."""
        return [active.wire() for active in self._active]

    def _end(self, active: _Active) -> None:
        if active in self._active:
            self._active.remove(active)
            self._changed()
