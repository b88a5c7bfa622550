"""Runs as lines of plain text, for Slack and for terminals alike.

`<@U…>` stands for an account and `<#C…>` for a channel: Slack shows their names, a terminal what
it knows of them.
"""

from collections.abc import Mapping

from bot.moments import moment, span, time_of_day
from procedures.model.events import Requested
from procedures.model.ids import UserId
from procedures.model.plan import Step
from procedures.model.run import Run, State, StepRun, StepState

MARKS: Mapping[StepState | None, str] = {
    None: "to do",
    StepState.STARTED: "running",
    StepState.PUT_OFF: "waiting to be tried again",
    StepState.ASKED: "waiting for a person",
    StepState.REPORTED: "said to be done, being checked",
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.IN_DOUBT: "in doubt",
    StepState.NOT_DONE: "to do again",
}


def headline(run: Run) -> str:
    """The first words about a run."""
    return f"{run.state}: {title(run)} (run {run.id})"


def title(run: Run) -> str:
    """What a run does, in its plan's words as soon as there is one."""
    if run.plan is not None:
        return run.plan.title
    return asked_for(run.request)


def asked_for(request: Requested) -> str:
    """What somebody asked for, about as it was typed."""
    words = [request.command]
    for name, value in request.args.items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif name != "cluster" and value is not None and value is not False:
            words.append(str(value))
    return f"{' '.join(words)} on {request.cluster}"


def run_line(run: Run) -> str:
    """One line for a list of runs."""
    who = f"<@{run.request.requester.user}>"
    if run.ended_at_ms is not None:
        return f"{run.id} {run.state}: {title(run)}, {who}, ended {moment(run.ended_at_ms)}"
    return f"{run.id} {run.state}: {title(run)}, {who}, asked {moment(run.requested_at_ms)}"


def waiting_line(run: Run, people: Mapping[UserId, str], now_ms: int) -> str:
    """One line about a decision that people have to make."""
    if run.state is State.WAITING_FOR_APPROVAL:
        since_ms, need = run.planned_at_ms, approvals(run, people)
        need += f", until {time_of_day(run.question(people).expires_at_ms)}"
    else:
        since_ms, need = run.changed_at_ms, run.state.lower()
        if run.doubt is not None:
            need += f" about step {run.doubt.step}: {run.doubt.error}"
        elif run.asked is not None:
            need += f" to do {_named(run, run.asked.step)}"
    where = f", in <#{run.request.channel}>" if run.request.channel else ""
    return (
        f"{run.id} {title(run)}, asked by <@{run.request.requester.user}>{where}: "
        f"waits for {span(now_ms - since_ms)}, {need}"
    )


def run_lines(run: Run, people: Mapping[UserId, str]) -> list[str]:
    """All about one run."""
    where = f" in <#{run.request.channel}>" if run.request.channel else ""
    asked = f"asked by <@{run.request.requester.user}>{where}, {moment(run.requested_at_ms)}"
    lines = [headline(run), f"{run.request.cluster}: {run.request.command}, {asked}"]
    if run.error:
        lines.append(run.error)
    if run.state is State.QUEUED and run.held:
        lines.append(run.held)
    lines += asked_lines(run)
    if run.request.reason:
        lines.append(f"reason: {run.request.reason}")
    if run.answer is not None:
        lines.append(run.answer.headline)
    if run.cancel_asked is not None and not run.state.final:
        lines.append(f"<@{run.cancel_asked}> asked for its end")
    if run.plan is not None:
        lines += [_step(step, run.steps.get(step.number)) for step in run.plan.steps]
        lines += [f"<@{vote.user}>: {vote.decision}, {moment(vote.at_ms)}" for vote in run.votes]
        lines.append(f"{run.plan.risk}, {approvals(run, people)}")
        lines.append(f"plan {run.plan.digest}")
    return lines


def asked_lines(run: Run) -> list[str]:
    """What people are asked to do now, and what was missing when somebody had done it before."""
    asked = run.asked
    if asked is None or run.plan is None:
        return []
    (step,) = (step for step in run.plan.steps if step.number == asked.step)
    missing = [f"Not there yet: {asked.missing}"] if asked.missing else []
    waits = [f"Waits {step.waits}"] if step.waits else []
    return [*missing, f"Step {step.number}: {step.title}", step.command, *waits]


def plan_lines(run: Run) -> list[str]:
    """The whole plan of a run; empty where it has none."""
    if run.plan is None:
        return []
    lines = [run.plan.title, *run.plan.facts]
    for step in run.plan.steps:
        lines += [f"{step.number}. {step.title}", f"   {step.command}"]
        if step.waits:
            lines.append(f"   waits {step.waits}")
        if step.undo:
            lines.append(f"   undo: {step.undo.words}")
    return [*lines, f"{run.plan.risk}, approvals needed: {run.needed}", f"plan {run.plan.digest}"]


def step_news(done: StepRun) -> str:
    """What became of a step."""
    words = attempt_words(done)
    attempt = f", {words}" if words else ""
    found = ", found done" if done.found else ""
    return f"{MARKS[done.state]}{attempt}{found}"


def attempt_words(done: StepRun) -> str:
    """Which attempt a step is at, or waits for, and why the one before did not do; empty for the
    first.
    """
    waits = done.state is StepState.PUT_OFF
    number = done.attempts + 1 if waits else done.attempts
    if number == 1:
        return ""
    put_off = done.put_off
    if put_off is None or number > put_off.last:
        return f"attempt {number}"
    why = f": {put_off.error}" if waits or done.state is StepState.STARTED else ""
    return f"attempt {number} of {put_off.last}{why}"


def _step(step: Step, done: StepRun | None) -> str:
    if done is None:
        return f"{step.number}. {step.title}: {MARKS[None]}"
    took = ""
    if done.ended_at_ms is not None:
        took = f", {moment(done.ended_at_ms)}, took {span(done.ended_at_ms - done.started_at_ms)}"
    return f"{step.number}. {step.title}: {step_news(done)}{took}"


def _named(run: Run, number: int) -> str:
    steps = run.plan.steps if run.plan else ()
    return next((f"step {number}, {each.title}" for each in steps if each.number == number), "")


def approvals(run: Run, people: Mapping[UserId, str]) -> str:
    """How many approvals count, of how many that are needed, and whose."""
    if not run.needed:
        return "no approval needed"
    counted = run.tally(people, run.planned_at_ms).counted
    who = f" ({', '.join(f'<@{vote.user}>' for vote in counted)})" if counted else ""
    return f"{len(counted)} of {run.needed} approvals{who}"
