"""The steps of a run as they went so far: a fold over its events."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from pydantic import JsonValue

from procedures.model.events import (
    Asked,
    Done,
    Doubted,
    Entry,
    Failed,
    PutOff,
    Reported,
    Settled,
    Started,
)
from procedures.model.ids import UserId


class StepState(StrEnum):
    """Where a step stands."""

    STARTED = "started"
    PUT_OFF = "waiting to be tried again"
    ASKED = "waiting for a person"
    REPORTED = "said to be done"  # by a person; it is not checked yet
    DONE = "done"
    FAILED = "failed"
    IN_DOUBT = "in doubt"
    NOT_DONE = "not done"  # proven or said by a person: it may be started again


@dataclass(frozen=True, slots=True)
class StepRun:
    """A step as it went so far. Times in ms; `found` tells that it was found done afterwards.

    `attempts` counts how often it was started, or people were asked for it; `said_by` said last
    that it is done. `put_off` is why it is, or was, tried again, `put_offs` how often that was
    since the run began or was resumed: attempts that a lost worker cut short are not among them.
    """

    state: StepState
    attempts: int
    started_at_ms: int
    ended_at_ms: int | None = None
    value: JsonValue = None
    found: bool = False
    said_by: UserId | None = None
    put_off: PutOff | None = None
    put_offs: int = 0


Steps: TypeAlias = Mapping[int, StepRun]
"""Those that were begun, by number."""


def stepped(steps: Steps, entry: Entry) -> Steps:
    """Fold an entry in; what is about no step, or about one that was not begun, changes none."""
    match entry.event:
        case Started(step=number, attempt=attempt):
            after = _begun(steps.get(number), StepState.STARTED, attempt, entry.at_ms)
        case Asked(step=number, attempt=attempt):
            after = _begun(steps.get(number), StepState.ASKED, attempt, entry.at_ms)
        case (
            Done(step=int(number))
            | PutOff(step=int(number))
            | Reported(step=int(number))
            | Doubted(step=int(number))
            | Settled(step=int(number))
            | Failed(step=int(number))
        ) if number in steps:
            after = _went_on(steps[number], entry)
        case _:
            return steps
    return MappingProxyType({**steps, number: after})


def _begun(before: StepRun | None, state: StepState, attempt: int, at_ms: int) -> StepRun:
    if before is None:
        return StepRun(state, attempt, at_ms)
    return replace(before, state=state, attempts=attempt, ended_at_ms=None, value=None, found=False)


def _went_on(step: StepRun, entry: Entry) -> StepRun:
    after, at_ms = step, entry.at_ms
    match entry.event:
        case Done(value=value, found=found):
            after = replace(step, state=StepState.DONE, value=value, found=found)
            after = replace(after, ended_at_ms=at_ms)
        case Settled(verdict="happened"):
            after = replace(step, state=StepState.DONE, found=True, ended_at_ms=at_ms)
        case Settled(verdict="not_happened"):
            after = replace(step, state=StepState.NOT_DONE, found=False, ended_at_ms=None)
        case Reported(user=user):
            after = replace(step, state=StepState.REPORTED, said_by=user)
        case PutOff() as put_off:
            after = replace(step, put_off=put_off, put_offs=step.put_offs + 1)
            after = replace(after, state=StepState.PUT_OFF)
        case Doubted():
            after = replace(step, state=StepState.IN_DOUBT)
        case Failed():
            after = replace(step, state=StepState.FAILED, ended_at_ms=at_ms)
            after = replace(after, put_off=None, put_offs=0)
    return after
