"""The state of a run: a fold over its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from procedures.model.approval import EXPIRES_MS, Question, Tally, Vote, decide
from procedures.model.events import (
    Answered,
    Asked,
    Began,
    CancelAsked,
    Cancelled,
    Decided,
    Done,
    Doubted,
    Entry,
    Expired,
    Failed,
    Held,
    Planned,
    PutOff,
    RefusedBy,
    Reported,
    Requested,
    Resumed,
    Settled,
    Started,
    Succeeded,
    Took,
    Voted,
)
from procedures.model.ids import RunId, UserId
from procedures.model.plan import Plan
from procedures.model.report import Report
from procedures.model.step_run import StepRun, Steps, StepState, stepped

__all__ = ["Run", "State", "StepRun", "StepState", "advance", "fold"]

_NO_STEPS: Steps = MappingProxyType({})


class State(StrEnum):
    """Where a run stands; the value is the word that messages begin with."""

    PLANNING = "Planning"
    WAITING_FOR_APPROVAL = "Waiting for approval"
    QUEUED = "Queued"
    RUNNING = "Running"
    WAITING_FOR_A_PERSON = "Waiting for a person"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    IN_DOUBT = "In doubt"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    REJECTED = "Rejected"
    REFUSED = "Refused"

    @property
    def final(self) -> bool:
        """Tell whether nothing more will happen by itself."""
        return self in _FINAL

    @property
    def waits(self) -> bool:
        """Tell whether a person has to do something before a worker can."""
        return self in _WAITING


_FINAL = frozenset(
    {
        State.SUCCEEDED,
        State.FAILED,
        State.CANCELLED,
        State.EXPIRED,
        State.REJECTED,
        State.REFUSED,
    }
)
_WAITING = frozenset({State.WAITING_FOR_APPROVAL, State.WAITING_FOR_A_PERSON, State.IN_DOUBT})


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its events tell it.

    `attempts` counts how often a worker took it up, `plans` how often it was planned. `votes` are
    those on the plan as it is now. `held` is why a queued run may not begin yet, `asked` what it
    waits for people to do.
    """

    id: RunId
    request: Requested
    requested_at_ms: int
    changed_at_ms: int
    state: State = State.QUEUED
    attempts: int = 0
    answer: Report | None = None
    error: str | None = None
    ended_at_ms: int | None = None
    plan: Plan | None = None
    plans: int = 0
    needed: int = 0
    planned_at_ms: int = 0
    before: Plan | None = None
    votes: tuple[Vote, ...] = ()
    decided: Decided | None = None
    steps: Steps = field(default_factory=lambda: _NO_STEPS)
    doubt: Doubted | None = None
    asked: Asked | None = None
    turn: int | None = None
    cancel_asked: UserId | None = None
    ended_by: UserId | None = None
    held: str | None = None

    @property
    def changing(self) -> bool:
        """Tell whether the run goes by a plan; others answer a question."""
        return self.plan is not None or self.state is State.REFUSED

    @property
    def doubted(self) -> str:
        """Names the doubt that people have to settle, as `Asked.id` does an asking; empty: none."""
        if self.doubt is None:
            return ""
        return f"{self.doubt.step}.{self.steps[self.doubt.step].attempts}"

    def question(self, people: Mapping[UserId, str]) -> Question:
        """What is being decided. Raises ValueError where there is no plan."""
        if self.plan is None:
            message = f"run {self.id} has no plan"
            raise ValueError(message)
        return Question(
            digest=self.plan.digest,
            requester=self.request.requester.user,
            risk=self.plan.risk,
            needed=self.needed,
            expires_at_ms=self.planned_at_ms + EXPIRES_MS,
            people=people,
        )

    def tally(self, people: Mapping[UserId, str], now_ms: int) -> Tally:
        """Count the votes as the journal has them; each was let in by a front."""
        voters = {vote.user for vote in self.votes}
        return decide(self.question(people), self.votes, voters, now_ms)


def fold(entries: Iterable[Entry]) -> Run | None:
    """Fold verified entries, in order. None when there is no request among them."""
    return advance(None, entries)


def advance(run: Run | None, entries: Iterable[Entry]) -> Run | None:
    """Fold further entries into a run; None stands for one of which nothing is known yet."""
    for entry in entries:
        if run is None:
            if isinstance(entry.event, Requested):
                run = Run(entry.run, entry.event, entry.at_ms, entry.at_ms)
        elif not run.state.final or isinstance(entry.event, Resumed):
            run = replace(_after(run, entry), changed_at_ms=entry.at_ms)
    return run


def _after(run: Run, entry: Entry) -> Run:
    after = run
    match entry.event:
        case Began() if run.state.waits:
            pass
        case Began() | Held() as taken:
            after = _taken(run, taken)
        case Answered(answer=answer):
            after = replace(run, answer=answer, state=State.RUNNING)
        case Planned() as planned:
            after = _planned(run, planned, entry.at_ms)
        case Voted() as voted:
            after = _voted(run, voted, entry.at_ms)
        case Decided() as decided:
            after = _decided(run, decided, entry.at_ms)
        case Took() | Started() | Done() | PutOff() | Asked() | Reported() | Doubted() | Settled():
            after = _step(run, entry)
        case CancelAsked(user=user):
            after = replace(run, cancel_asked=user)
        case Resumed():
            after = _resumed(run)
        case Succeeded() | Failed() | Expired() | Cancelled() | RefusedBy():
            after = _ended(run, entry)
        case Requested():
            pass
    return after


def _taken(run: Run, taken: Began | Held) -> Run:
    if isinstance(taken, Held):
        return replace(run, state=State.QUEUED, held=taken.why)
    state = State.PLANNING if run.plan is None and run.answer is None else State.RUNNING
    return replace(run, state=state, attempts=run.attempts + 1, held=None)


def _planned(run: Run, planned: Planned, at_ms: int) -> Run:
    waits = planned.needed > 0 and not run.request.plan_only
    return replace(
        run,
        before=run.plan,
        plan=planned.plan,
        plans=run.plans + 1,
        needed=planned.needed,
        planned_at_ms=at_ms,
        votes=(),
        decided=None,
        state=State.WAITING_FOR_APPROVAL if waits else State.QUEUED,
    )


def _voted(run: Run, voted: Voted, at_ms: int) -> Run:
    if run.plan is None or run.decided is not None or run.plan.digest != voted.digest:
        return run
    vote = Vote(voted.user, voted.decision, voted.digest, at_ms)
    return replace(run, votes=(*run.votes, vote))


def _decided(run: Run, decided: Decided, at_ms: int) -> Run:
    if run.state is not State.WAITING_FOR_APPROVAL or run.plan is None:
        return run
    if run.plan.digest != decided.digest:
        return run
    if decided.outcome == "approved":
        return replace(run, decided=decided, state=State.QUEUED)
    return replace(run, decided=decided, state=State.REJECTED, ended_at_ms=at_ms)


def _step(run: Run, entry: Entry) -> Run:
    """Fold what is about one step in."""
    after = replace(run, steps=stepped(run.steps, entry))
    match entry.event:
        case Took(turn=turn):
            after = replace(run, turn=turn)
        case Started():
            after = replace(after, state=State.RUNNING)
        case Asked() as asked if run.cancel_asked is None:
            after = replace(after, state=State.WAITING_FOR_A_PERSON, asked=asked)
        case Reported() as reported:
            after = _reported(run, after, reported)
        case Doubted(step=number) as doubted if number in run.steps:
            after = replace(after, state=State.IN_DOUBT, doubt=doubted)
        case Settled() as settled:
            after = _settled(run, after, settled, entry.at_ms)
    return after


def _reported(run: Run, after: Run, reported: Reported) -> Run:
    """What nobody was asked for now counts for nothing."""
    asked = run.asked
    if asked is None or (asked.step, asked.attempt) != (reported.step, reported.attempt):
        return run
    return replace(after, state=State.QUEUED, asked=None)


def _settled(run: Run, after: Run, settled: Settled, at_ms: int) -> Run:
    if run.doubt is None or run.doubt.step != settled.step:
        return run
    if settled.verdict == "stop":
        error = f"stopped in doubt about step {settled.step}; what was done stays done."
        return replace(
            run, state=State.FAILED, error=error, ended_at_ms=at_ms, ended_by=settled.user
        )
    return replace(after, state=State.QUEUED, doubt=None)


def _resumed(run: Run) -> Run:
    """A failed run goes on at its failed step; no other run does."""
    if run.state is not State.FAILED or run.decided is None:
        return run
    return replace(
        run,
        state=State.QUEUED,
        error=None,
        ended_at_ms=None,
        ended_by=None,
        cancel_asked=None,  # whoever resumes it wants it to go on
    )


def _ended(run: Run, entry: Entry) -> Run:
    ended = replace(run, ended_at_ms=entry.at_ms, asked=None)
    match entry.event:
        case Failed(error=error):
            steps = stepped(run.steps, entry)
            return replace(ended, state=State.FAILED, error=error, steps=steps)
        case Expired(error=error):
            return replace(ended, state=State.EXPIRED, error=error)
        case Cancelled(error=error):
            return replace(ended, state=State.CANCELLED, error=error, ended_by=run.cancel_asked)
        case RefusedBy(error=error):
            return replace(ended, state=State.REFUSED, error=error)
    return replace(ended, state=State.SUCCEEDED)
