"""Events as lines of plain text: who did what, and when."""

from bot.moments import instant
from bot.run_words import asked_for
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
    Event,
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
    Took,
    Voted,
)
from procedures.model.run import Run

_VERDICTS = {"happened": "it happened", "not_happened": "it did not happen", "stop": "stop here"}


def event_line(entry: Entry, run: Run) -> str:
    """One line about one event; `<@U…>` stands for an account, as in `run_words`."""
    who = _who(entry.event)
    name = f"<@{who}>" if who else entry.writer
    return f"{entry.seq}. {instant(entry.at_ms)}, {name}: {_what(entry.event, run)}"


def _who(event: Event) -> str | None:
    """Who did it; None where a process did."""
    match event:
        case Requested(requester=requester):
            return requester.user
        case Voted(user=user) | Settled(user=user) | Reported(user=user):
            return user
        case CancelAsked(user=user) | Resumed(user=user):
            return user
    return None


def _what(event: Event, run: Run) -> str:
    match event:
        case Requested() | Planned() | Voted() | Decided() | CancelAsked() | Resumed():
            return _decision(event)
        case Started(step=step, attempt=attempt):
            again = f", attempt {attempt}" if attempt > 1 else ""
            return f"began {_step(run, step)}{again}"
        case Done(step=step, found=found):
            return f"found {_step(run, step)} done" if found else f"did {_step(run, step)}"
        case PutOff(step=step, attempt=attempt, error=error):
            return f"puts {_step(run, step)} off after attempt {attempt}: {error}"
        case Asked() | Reported() | Doubted() | Settled():
            return _with_people(event, run)
    return _course(event)


def _with_people(event: Asked | Reported | Doubted | Settled, run: Run) -> str:
    """What people are needed for in a step, and what they say of it."""
    step = _step(run, event.step)
    match event:
        case Asked(missing=missing):
            return f"asked people for {step}{f', still missing: {missing}' if missing else ''}"
        case Reported():
            return f"said of {step}: it is done"
        case Doubted(error=error):
            return f"in doubt about {step}: {error}"
        case Settled(verdict=verdict):
            return f"said of {step}: {_VERDICTS[verdict]}"


def _decision(
    event: Requested | Planned | Voted | Decided | CancelAsked | Resumed,
) -> str:
    """What people decide, and what about."""
    match event:
        case Requested():
            why = f", reason: {event.reason}" if event.reason else ""
            return f"asked for {asked_for(event)}{why}"
        case Planned(plan=plan, needed=needed):
            return (
                f"planned {plan.title}, {plan.risk}, approvals needed: {needed}, {_id(plan.digest)}"
            )
        case Voted(decision=decision, digest=digest):
            return f"{decision}, {_id(digest)}"
        case Decided(outcome=outcome, voters=voters, digest=digest):
            by = ", ".join(f"<@{user}>" for user in voters)
            return f"{outcome}, counted: {by or 'nobody'}, {_id(digest)}"
        case CancelAsked():
            return "asked for its end"
        case Resumed():
            return "lets it go on at its failed step"


def _course(event: Event) -> str:
    """How a run goes, and how it ends."""
    match event:
        case Began():
            return "took it up"
        case Answered(answer=answer):
            return f"answered {answer.headline}"
        case Took():
            return "has the cluster to itself now"
        case Held(why=why):
            return f"may not begin yet: {why}"
        case (
            Cancelled(error=error)
            | RefusedBy(error=error)
            | Failed(error=error)
            | Expired(error=error)
        ):
            return f"{event.kind}, {error}"
    return event.kind


def _step(run: Run, number: int) -> str:
    steps = run.plan.steps if run.plan else ()
    named = [f" ({step.title})" for step in steps if step.number == number]
    return f"step {number}{named[0] if named else ''}"


def _id(digest: str) -> str:
    return f"plan {digest[:12]}"
