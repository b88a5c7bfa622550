"""A read-only procedure: a question that is answered by looking, in one or several answers."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from procedures.model.report import BackupsReport, HealthReport, HostsReport, MembersReport


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question: its name as people type it, its arguments, and how it is answered.

    `ask(args, look)` yields answers; each replaces the one before, the last one is final.
    `args` is a frozen dataclass.
    """

    name: str
    args: type
    ask: Callable[
        [Any, Any],
        AsyncIterator[HealthReport]
        | AsyncIterator[MembersReport]
        | AsyncIterator[BackupsReport]
        | AsyncIterator[HostsReport],
    ]
