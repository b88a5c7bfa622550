"""A change as the incident channel is told of it: one message, without buttons."""

from collections.abc import Iterator, Mapping

from bot.run_words import headline
from bot.slack.blocks import View, context, section
from bot.slack.run_views import at, outcome
from bot.slack.task_views import took
from bot.slack.text import MESSAGE, cut, escaped, shortened
from procedures.model.ids import UserId
from procedures.model.run import Run, State

_HEADLINE = 400
_REASON = 500
_WORDS = 1_500


def incident_view(run: Run, people: Mapping[UserId, str], link: str | None) -> View:
    """The message. `link` leads to the run's own, where it is shown already."""
    first = headline(run)
    lines = list(_lines(run, people))
    where = f"<{link}|The run, with its steps and log>" if link else "The run"
    blocks = (
        section(f"*{shortened(escaped(first), _HEADLINE)}*"),
        section("\n".join(lines)),
        context(f"{where} · cluster {escaped(run.request.cluster)}"),
    )
    words = escaped(outcome(run))
    return View(
        cut(f"{escaped(first)}\n{words}".strip(), MESSAGE),
        blocks,
        {
            "event_type": "quorumbot_incident",
            "event_payload": {
                "run_id": run.id,
                "state": str(run.state),
                "cluster": run.request.cluster,
            },
        },
    )


def _lines(run: Run, people: Mapping[UserId, str]) -> Iterator[str]:
    why = f": {shortened(escaped(run.request.reason), _REASON)}" if run.request.reason else ""
    yield f"Requested by <@{run.request.requester.user}> {at(run.requested_at_ms)}{why}"
    if run.state is State.WAITING_FOR_APPROVAL:
        yield f"{run.needed} approvals needed" if run.needed > 1 else "1 approval needed"
    votes = run.tally(people, run.planned_at_ms).counted if run.plan else ()
    if votes:
        who = ", ".join(f"<@{vote.user}>" for vote in votes)
        yield f"Approved by {who} {at(votes[-1].at_ms)}"
    if run.steps:
        yield f"Started {at(min(step.started_at_ms for step in run.steps.values()))}"
    if run.state.final or run.state in {State.IN_DOUBT, State.WAITING_FOR_A_PERSON}:
        yield _end(run)


def _end(run: Run) -> str:
    words = shortened(escaped(outcome(run)), _WORDS)
    when = at(run.changed_at_ms if run.ended_at_ms is None else run.ended_at_ms)
    if run.state is State.SUCCEEDED:
        return f"Succeeded {when}, after {took(run)}"
    if run.state is State.REJECTED and run.votes:
        words = f"by <@{run.votes[-1].user}>. {words}"
    return f"*{run.state}* {when}: {words}" if words else f"*{run.state}* {when}"
