"""The steps of a run that is carried out, as they stand: a plan block, or sections in its place."""

from collections.abc import Iterator, Mapping

from bot.moments import span
from bot.run_words import MARKS, attempt_words
from bot.slack.blocks import Block, length, rich, section
from bot.slack.plan_views import step_blocks
from bot.slack.text import cut, escaped, shortened, visible
from procedures.model.plan import Plan, Step
from procedures.model.run import Run, State, StepRun, StepState

_CHARACTERS = 6_000
_SECTIONS = 36
_TASKS = 50
_AROUND = 20
"""So many tasks are shown of a plan that has too many."""

_TITLE = 250
_SHORT_TITLE = 90
_DETAIL = 2_500
_ERROR = 500

_STATUS: Mapping[StepState | None, str] = {
    None: "pending",
    StepState.STARTED: "in_progress",
    StepState.PUT_OFF: "in_progress",
    StepState.ASKED: "in_progress",
    StepState.REPORTED: "in_progress",
    StepState.DONE: "complete",
    StepState.FAILED: "error",
    StepState.IN_DOUBT: "error",
    StepState.NOT_DONE: "pending",
}


_UNDER_WAY = frozenset({StepState.STARTED, StepState.PUT_OFF, StepState.ASKED, StepState.REPORTED})


def plan_block(run: Run, plan: Plan) -> Block:
    """Each step as a task; commands are shown where all of them can be shown whole."""
    tasks = [_task(run, step) for step in plan.steps]
    whole = {"type": "plan", "title": progress(run, plan), "tasks": tasks}
    details_fit = all(len(step.command) <= _DETAIL for step in plan.steps)
    if details_fit and len(tasks) <= _TASKS and length([whole]) <= _CHARACTERS:
        return whole
    tasks = list(_few(plan, [_task(run, step, brief=True) for step in plan.steps]))
    return {"type": "plan", "title": progress(run, plan), "tasks": tasks}


def step_sections(run: Run, plan: Plan) -> tuple[Block, ...]:
    """The same, for where Slack knows no plan blocks."""
    title = section(f"*{escaped(progress(run, plan))}*")
    full = [block for step in plan.steps for block in step_blocks(step, _mark(run, step.number))]
    if len(full) <= _SECTIONS and length(full) <= _CHARACTERS:
        return (title, *full)
    lines = [
        f"{step.number}. {shortened(escaped(step.title), _SHORT_TITLE)} · {_mark(run, step.number)}"
        for step in plan.steps
    ]
    return (title, section(cut("\n".join(lines), 2_900)))


def progress(run: Run, plan: Plan) -> str:
    """How far a run is: in the present while it runs, in the past after."""
    steps, total = run.steps, len(plan.steps)
    done = sum(step.state is StepState.DONE for step in steps.values())
    if run.state is State.SUCCEEDED:
        return f"Finished in {took(run)}"
    if run.state.final and not steps:
        return f"{run.state}, no step was begun"
    if run.state.final:
        return f"{run.state} after {took(run)}, {done} of {total} steps done"
    if run.state in {State.IN_DOUBT, State.WAITING_FOR_A_PERSON}:
        return f"{run.state}, {done} of {total} steps done"
    under_way = [number for number, step in steps.items() if step.state in _UNDER_WAY]
    if run.state is State.RUNNING and under_way:
        return f"Running step {max(under_way)} of {total}"
    waits = ", waiting for a worker" if run.state is State.QUEUED else ""
    return f"{done} of {total} steps done{waits}"


def took(run: Run) -> str:
    """How long the steps took, from the first on."""
    ended = run.changed_at_ms if run.ended_at_ms is None else run.ended_at_ms
    begun = min((step.started_at_ms for step in run.steps.values()), default=ended)
    return span(ended - begun) if ended - begun >= 1_000 else "less than 1 s"


def _task(run: Run, step: Step, *, brief: bool = False) -> Block:
    done = run.steps.get(step.number)
    most = _SHORT_TITLE if brief else _TITLE
    task: Block = {
        "type": "task_card",
        "task_id": f"step-{step.number}",
        "title": shortened(visible(f"{step.number}. {step.title}"), most),
        "status": _STATUS[_state(run, done)],
    }
    if step.command and not brief:
        leaf = {"type": "text", "text": visible(step.command), "style": {"code": True}}
        waits = [_text(f"\nWaits: {shortened(visible(step.waits), _TITLE)}")] if step.waits else []
        task["details"] = rich(leaf, *waits)
    if output := " · ".join(_facts(run, step.number)):
        task["output"] = rich(_text(output))
    return task


def _few(plan: Plan, tasks: list[Block]) -> Iterator[Block]:
    """As many tasks as a plan block takes: what is under way, and what is around it."""
    if len(tasks) <= _TASKS:
        yield from tasks
        return
    unfinished = (place for place, task in enumerate(tasks) if task["status"] != "complete")
    current = next(unfinished, len(tasks))
    first = max(0, min(current - 5, len(tasks) - _AROUND))
    last = min(len(tasks), first + _AROUND)
    if first:
        yield _together("before", f"Steps 1 to {first}", "complete")
    yield from tasks[first:last]
    if last < len(tasks):
        yield _together("after", f"Steps {last + 1} to {len(plan.steps)}", "pending")


def _together(name: str, title: str, status: str) -> Block:
    return {"type": "task_card", "task_id": f"steps-{name}", "title": title, "status": status}


def _state(run: Run, done: StepRun | None) -> StepState | None:
    """How a step stands; what was under way when a run ended is not under way any more."""
    if done is None or (run.state.final and done.state in _UNDER_WAY):
        return None
    return done.state


def _mark(run: Run, number: int) -> str:
    return escaped(", ".join([MARKS[_state(run, run.steps.get(number))], *_facts(run, number)]))


def _facts(run: Run, number: int) -> Iterator[str]:
    """What there is to say about a step, beside its state."""
    if (done := run.steps.get(number)) is None:
        return
    if attempt := attempt_words(done):
        yield shortened(visible(attempt), _ERROR)
    if done.found:
        yield "found done afterwards"
    if done.state is StepState.FAILED and run.error:
        yield shortened(visible(run.error.removeprefix(f"step {number}: ")), _ERROR)
    if done.state is StepState.ASKED and run.asked and run.asked.missing:
        yield shortened(visible(f"not there yet: {run.asked.missing}"), _ERROR)
    if done.state is StepState.IN_DOUBT and run.doubt:
        yield shortened(visible(run.doubt.error), _ERROR)
    elif done.ended_at_ms is not None and done.ended_at_ms - done.started_at_ms >= 1_000:
        yield f"took {span(done.ended_at_ms - done.started_at_ms)}"


def _text(text: str) -> Block:
    return {"type": "text", "text": text}
