"""Which answer belongs to which command: one table, for Slack and for terminals."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from bot.control import acting, reading
from bot.control.desk import Desk
from bot.ports import Caller, Said
from commands.grammar import Ask
from procedures.model.errors import InDoubt, Retryable

Answer: TypeAlias = Callable[[Desk, Ask, Caller], Awaitable[Said]]


@dataclass(frozen=True, slots=True)
class Control:
    """How a command is answered, and whether it only reads."""

    answer: Answer
    reads: bool = False


CONTROLS: Mapping[str, Control] = MappingProxyType(
    {
        "ops runs": Control(reading.runs, reads=True),
        "ops run": Control(reading.run, reads=True),
        "ops audit": Control(reading.audit, reads=True),
        "ops cancel": Control(acting.cancel),
        "ops done": Control(acting.done),
        "ops resume": Control(acting.resume),
        "ops undo": Control(acting.undo),
        "ops approvals": Control(reading.approvals, reads=True),
        "ops clusters": Control(reading.clusters, reads=True),
        "ops pause": Control(acting.pause),
    }
)


class Controls:
    """Answers them within `patience_s`."""

    def __init__(self, desk: Desk, patience_s: float) -> None:
        self._desk = desk
        self._patience_s = patience_s

    async def answer(self, wanted: Ask, caller: Caller) -> Said:
        """Answer a command. Raises InDoubt where nobody can tell whether it was done."""
        control = CONTROLS[wanted.command.name]
        try:
            async with asyncio.timeout(self._patience_s):
                return await control.answer(self._desk, wanted, caller)
        except TimeoutError as error:
            message = f"The store did not answer within {self._patience_s:g} s."
            raise (Retryable if control.reads else InDoubt)(message) from error
        except Retryable as error:
            if control.reads:
                raise
            raise InDoubt(str(error)) from error
