"""What an action is to those who carry it out: done, looked for, and maybe tried again."""

from typing import ClassVar, Protocol, runtime_checkable

from pydantic import JsonValue

from procedures.engine.ports import Finding, Work, World
from procedures.model.plan import Action, Retries


class Doable(Action, Protocol):
    """An action that can be done, and looked for after an interruption.

    Each names, in its docstring, what makes a late duplicate harmless.
    """

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Do it, checking its own rules and identities right before. Gives its result.

        Raises Refused or Permanent when it is not done, Retryable when it is not done for a
        passing reason, InDoubt when nobody can tell.
        """
        ...

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was done, some time after the last call that may have done it."""
        ...


@runtime_checkable
class Retried(Protocol):
    """An action that says itself how it is tried again after Retryable. Others fail at once.

    Such an action raises Retryable only where none of its calls has changed anything, or where a
    duplicate is harmless.
    """

    RETRIES: ClassVar[Retries]
