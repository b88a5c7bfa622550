"""What a changing run looks like in Slack: one message from its planning to its end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.moments import time_of_day
from bot.run_words import asked_lines, headline
from bot.slack.blocks import Block, View, context, section
from bot.slack.plan_views import is_long, plan_blocks, plan_parts
from bot.slack.run_buttons import buttons
from bot.slack.task_views import plan_block, step_sections
from bot.slack.text import MESSAGE, cut, escaped, shortened
from procedures.model.approval import Outcome
from procedures.model.ids import UserId
from procedures.model.plan import Plan
from procedures.model.run import Run, State

_HEADLINE = 400
_WORDS = 1_500
_DIFFERENCE = 1_000
_REASON = 500


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run is shown, beside what it tells itself.

    `posted` counts the messages of a long plan that are in the thread, `plan_link` leads to the
    first. `earlier` leads to the thread of a message that was deleted, empty where it had none;
    None where no message was deleted.
    """

    plan_blocks: bool = True
    posted: int = 0
    plan_link: str | None = None
    earlier: str | None = None


def run_view(run: Run, people: Mapping[UserId, str], manner: Manner | None = None) -> View:
    """The message of a run as it is now. `people` tells which accounts are one person's."""
    blocks = tuple(_blocks(run, people, manner or Manner()))
    return View(run_text(run), blocks, run_metadata(run, counted(run, people)))


def run_text(run: Run) -> str:
    """The message's text, for notifications and screen readers; the commands are in the blocks."""
    lines = [headline(run)]
    if words := outcome(run):
        lines.append(words)
    if run.plan is not None:
        lines += [*run.plan.facts, *(f"{step.number}. {step.title}" for step in run.plan.steps)]
    return cut("\n".join(escaped(line) for line in lines), MESSAGE)


def run_metadata(run: Run, counted: int) -> dict[str, Any]:
    """What tools read."""
    return {
        "event_type": "quorumbot_run",
        "event_payload": {
            "run_id": run.id,
            "state": str(run.state),
            "digest": run.plan.digest if run.plan else "",
            "votes": counted,
            "needed": run.needed,
        },
    }


def outcome(run: Run) -> str:
    """Why a run is where it is, in plain text; empty where its state says all."""
    if run.state is State.IN_DOUBT and run.doubt is not None:
        return f"Step {run.doubt.step}: {run.doubt.error} Look, then decide."
    if run.state is State.REJECTED:
        return "Nothing was done."
    if run.state is State.SUCCEEDED and run.request.plan_only:
        return "This is only the plan: nothing was done."
    if run.cancel_asked is not None and not run.state.final:
        return "Its end was asked for; it stops at the next safe place."
    held = run.held if run.state is State.QUEUED else None
    return _sentence(held or run.error or "\n".join(asked_lines(run)), run.request.cluster)


def counted(run: Run, people: Mapping[UserId, str]) -> int:
    """How many approvals count now."""
    return len(run.tally(people, run.planned_at_ms).counted) if run.plan else 0


def carried_out(run: Run) -> bool:
    """Tell whether a run has come to the carrying out of its plan."""
    if run.plan is None or run.request.plan_only:
        return False
    approved = run.decided is not None and run.decided.outcome == "approved"
    return bool(run.steps) or approved or (run.needed == 0 and run.state is not State.REFUSED)


def _blocks(run: Run, people: Mapping[UserId, str], manner: Manner) -> Iterator[Block]:
    yield section(f"*{shortened(escaped(headline(run)), _HEADLINE)}*")
    if words := outcome(run):
        yield section(shortened(escaped(words), _WORDS))
    yield context(_who(run))
    if run.plan is not None:
        yield from _plan(run, run.plan, people, manner)
    if manner.earlier is not None:
        yield context(_replaces(manner.earlier))


def _plan(run: Run, plan: Plan, people: Mapping[UserId, str], manner: Manner) -> Iterator[Block]:
    if run.plans > 1 and run.state is State.WAITING_FOR_APPROVAL and run.before is not None:
        yield section(_difference(run.before, plan))
    parts = len(plan_parts(run.id, plan)) if is_long(plan) else 0
    shown = manner.posted >= parts
    whole = not parts and not carried_out(run)
    if whole:
        yield from plan_blocks(plan)
    else:
        if facts := escaped("\n".join(plan.facts)).strip():
            yield section(cut(facts, _WORDS))
        if carried_out(run):
            yield from [plan_block(run, plan)] if manner.plan_blocks else step_sections(run, plan)
        if parts:
            yield section(_elsewhere(run, plan, parts, manner))
    yield context(_votes(run, people))
    if below := buttons(run, decide=shown, whole=whole):
        yield below


def at(ms: int) -> str:
    """A moment of today, in each reader's own time."""
    return f"<!date^{ms // 1_000}^{{time}}|{time_of_day(ms)}>"


def _sentence(words: str, cluster: str) -> str:
    """Begin it with a capital, unless it begins with a name: those are written as they are."""
    first = words.partition(" ")[0]
    if first == cluster or not first.isalpha():
        return words
    return words[:1].upper() + words[1:]


def _who(run: Run) -> str:
    who = f"<@{run.request.requester.user}>"
    asked = f"Asked by {who} {at(run.requested_at_ms)} · cluster {escaped(run.request.cluster)}"
    if not run.request.reason:
        return asked
    return f"{asked} · reason: {shortened(escaped(run.request.reason), _REASON)}"


def _votes(run: Run, people: Mapping[UserId, str]) -> str:
    plan = run.plan
    assert plan is not None  # noqa: S101 (only a plan is voted on)
    small = f"{plan.risk} · plan {plan.digest[:12]}"
    if not run.needed:
        return f"No approval needed · {small}"
    tally = run.tally(people, run.planned_at_ms)
    who = ", ".join(f"<@{vote.user}>" for vote in tally.counted)
    approved = f"Approved by {who} · " if who else ""
    text = f"{approved}{len(tally.counted)} of {run.needed} needed"
    if tally.outcome is Outcome.REJECTED:
        text = f"Rejected by <@{tally.rejected_by}> · {text}"
    if run.state is State.WAITING_FOR_APPROVAL:
        text = f"{text} · until {at(run.question(people).expires_at_ms)}"
    if run.cancel_asked is not None:
        text = f"{text} · end asked for by <@{run.cancel_asked}>"
    return f"{text} · {small}"


def _elsewhere(run: Run, plan: Plan, parts: int, manner: Manner) -> str:
    """Where a plan is that is too long for this message."""
    total = f"The plan has {len(plan.steps)} steps and is too long for this message."
    messages = "a message" if parts == 1 else f"{parts} messages"
    if manner.posted < parts:
        return f"{total} It is being posted in the thread, in {messages}; then it can be decided."
    where = "in the thread" if manner.plan_link is None else f"<{manner.plan_link}|in the thread>"
    advice = (
        ": read it there before you decide." if run.state is State.WAITING_FOR_APPROVAL else "."
    )
    return f"{total} All of it is {where}, in {messages}{advice}"


def _replaces(earlier: str) -> str:
    thread = f" Its thread is <{earlier}|still there>; it goes on here." if earlier else ""
    return f"This message replaces one that was deleted.{thread}"


def _difference(before: Plan, now: Plan) -> str:
    """What is another than in the plan that people have seen."""
    old = [*before.facts, *(step.command for step in before.steps)]
    new = [*now.facts, *(step.command for step in now.steps)]
    gone = [f"before: {escaped(line)}" for line in old if line not in new]
    come = [f"now: {escaped(line)}" for line in new if line not in old]
    head = "*The plan has changed since it was read; decide again.*"
    return cut("\n".join([head, *gone, *come]), _DIFFERENCE)
