"""What a person does: the one action that no worker performs.

It knows nothing of the engine, so that a runbook can record it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Check:
    """An action, by its kind and what it takes. It only looks, and fails while something lacks."""

    kind: str
    args: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask people to do something, and wait until one of them says that it is done.

    `how` says what to do, `check` in words what is looked at after; `checked_by` looks, where
    something can. What it raises says what is still missing, and people are asked again. A late or
    doubled Done is harmless: each is about one step, asked for the one time that was on the screen.
    """

    KIND: ClassVar[str] = "person.ask/1"

    how: str
    check: str
    checked_by: Check | None = None

    @property
    def command(self) -> str:
        """What people do, in the place of a call."""
        return self.how

    @property
    def waits(self) -> str | None:
        """For a person, whenever they come to it."""
        return f"for Done from who asked for it or an approver. Then: {self.check}"
