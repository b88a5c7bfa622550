"""The state of a run: a fold over its events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from procedures.model.events import (
    Answered,
    Began,
    Entry,
    Expired,
    Failed,
    Requested,
    Succeeded,
)
from procedures.model.ids import RunId
from procedures.model.report import HealthReport, MembersReport


class State(StrEnum):
    """Where a run stands; the value is the word that messages begin with."""

    QUEUED = "Queued"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    EXPIRED = "Expired"

    @property
    def final(self) -> bool:
        """Tell whether nothing more will happen."""
        return self in {State.SUCCEEDED, State.FAILED, State.EXPIRED}


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its events tell it. `attempts` counts how often a worker took it up."""

    id: RunId
    request: Requested
    requested_at_ms: int
    changed_at_ms: int
    state: State = State.QUEUED
    attempts: int = 0
    answer: HealthReport | MembersReport | None = None
    error: str | None = None
    ended_at_ms: int | None = None


def fold(entries: Iterable[Entry]) -> Run | None:
    """Fold verified entries, in order. None when there is no request among them."""
    run: Run | None = None
    for entry in entries:
        if run is None:
            if isinstance(entry.event, Requested):
                run = Run(entry.run, entry.event, entry.at_ms, entry.at_ms)
        elif not run.state.final:
            run = replace(_after(run, entry), changed_at_ms=entry.at_ms)
    return run


def _after(run: Run, entry: Entry) -> Run:
    match entry.event:
        case Began():
            return replace(run, state=State.RUNNING, attempts=run.attempts + 1)
        case Answered(answer=answer):
            return replace(run, answer=answer)
        case Succeeded():
            return replace(run, state=State.SUCCEEDED, ended_at_ms=entry.at_ms)
        case Failed(error=error):
            return replace(run, state=State.FAILED, error=error, ended_at_ms=entry.at_ms)
        case Expired(error=error):
            return replace(run, state=State.EXPIRED, error=error, ended_at_ms=entry.at_ms)
        case Requested():
            return run
