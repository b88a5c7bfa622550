"""Runs for scripts. The shape is a contract: fields are added, never taken away or renamed."""

from bot.moments import iso
from bot.run_words import MARKS, title
from procedures.model.canonical import Json
from procedures.model.plan import Step
from procedures.model.run import Run, StepRun


def run_data(run: Run) -> Json:
    """All about one run; times in ISO 8601, UTC, or null."""
    return {
        "id": run.id,
        "procedure": run.request.command,
        "args": dict(run.request.args),
        "state": str(run.state),
        "digest": run.plan.digest if run.plan else None,
        "requester": run.request.requester.user,
        "votes": [
            {"user": vote.user, "decision": vote.decision, "at": iso(vote.at_ms)}
            for vote in run.votes
        ],
        "steps": [
            _step(step, run.steps.get(step.number)) for step in (run.plan.steps if run.plan else ())
        ],
        "cluster": run.request.cluster,
        "reason": run.request.reason,
        "error": run.error,
    }


def run_summary(run: Run) -> Json:
    """One run in a list."""
    return {
        "id": run.id,
        "state": str(run.state),
        "title": title(run),
        "cluster": run.request.cluster,
        "requester": run.request.requester.user,
        "requested_at": iso(run.requested_at_ms),
        "ended_at": iso(run.ended_at_ms),
    }


def plan_data(run: Run) -> Json:
    """The plan of a run, null where it has none."""
    if run.plan is None:
        return None
    return {
        "title": run.plan.title,
        "cluster": run.plan.cluster,
        "risk": str(run.plan.risk),
        "needed": run.needed,
        "facts": list(run.plan.facts),
        "steps": [
            {
                "id": step.number,
                "title": step.title,
                "command": step.command,
                "waits": step.waits,
                "undo": step.undo.words if step.undo else None,
            }
            for step in run.plan.steps
        ],
        "digest": run.plan.digest,
    }


def _step(step: Step, done: StepRun | None) -> Json:
    return {
        "id": step.number,
        "title": step.title,
        "state": str(done.state) if done else MARKS[None],
        "started_at": iso(done.started_at_ms) if done else None,
        "ended_at": iso(done.ended_at_ms) if done else None,
        "attempts": done.attempts if done else 0,
    }
