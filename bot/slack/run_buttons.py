"""The buttons below a run's message: what may be done next, and nothing that may not."""

from collections.abc import Iterator

from bot.slack import clicks, reading
from bot.slack.blocks import Block, plain
from bot.slack.text import shortened, visible
from procedures.model.plan import Plan, Risk
from procedures.model.run import Run, State


def buttons(run: Run, *, decide: bool, whole: bool) -> Block | None:
    """The buttons, or None where there are none.

    `decide` tells that people have been shown all that they decide on, `whole` that the message
    itself shows the plan.
    """
    elements = [each for each in _buttons(run, decide=decide, whole=whole) if _is_known(each)]
    if not elements:
        return None
    return {"type": "actions", "block_id": revision(run), "elements": elements}


def revision(run: Run) -> str:
    """Names a plan on the screen, and what people are asked: an older click is told so."""
    named = f"{run.plans}-{run.plan.digest if run.plan else ''}"
    asked = run.asked.id if run.asked else run.doubted
    return f"{named}-{asked}" if asked else named


def can_undo(run: Run) -> bool:
    """Tell whether something of a run that succeeded can be taken back by a request."""
    return (
        run.state is State.SUCCEEDED
        and not run.request.plan_only
        and run.plan is not None
        and any(step.undo is not None and step.undo.command for step in run.plan.steps)
    )


def _buttons(run: Run, *, decide: bool, whole: bool) -> Iterator[Block]:
    if run.plan is None:
        return
    if run.state is State.WAITING_FOR_APPROVAL:
        if decide:
            yield _approve(run, run.plan)
            yield _button(run, "Reject", "run.reject")
            yield _button(run, "Cancel", "run.cancel")
            if not whole:
                yield _button(run, "Plan", "run.plan")
        return
    if run.state is State.IN_DOUBT:
        yield _button(run, "It Happened", "run.happened")
        yield _button(run, "It Did Not", "run.not_happened")
        yield _button(run, "Stop Here", "run.stop")
    elif run.state is State.FAILED and run.decided is not None:
        yield _button(run, "Resume", "run.resume")
    elif run.state is State.WAITING_FOR_A_PERSON:
        yield _button(run, "Done", "run.done") | {"style": "primary"}
    if can_undo(run):
        yield _button(run, "Undo", "run.undo")
    if run.steps:
        yield _button(run, "Log", "run.log")
    if not whole:
        yield _button(run, "Plan", "run.plan")
    if not run.state.final and run.state is not State.IN_DOUBT and run.cancel_asked is None:
        yield _button(run, "Cancel", "run.cancel")


def _is_known(button: Block) -> bool:
    """Nothing is offered that nobody would answer."""
    return button["action_id"] in (*clicks.ACTIONS, *reading.ACTIONS)


def _approve(run: Run, plan: Plan) -> Block:
    destructive = plan.risk is Risk.DESTRUCTIVE
    button = _button(run, "Approve", "run.approve")
    button["style"] = "danger" if destructive else "primary"
    if destructive:
        summary = visible(f"{plan.title}. {' '.join(plan.facts)}")
        button["confirm"] = {
            "title": plain("Approve this plan?"),
            "text": plain(shortened(summary, 290)),
            "confirm": plain("Approve"),
            "deny": plain("Back"),
            "style": "danger",
        }
    return button


def _button(run: Run, label: str, action: str) -> Block:
    return {"type": "button", "action_id": action, "value": run.id, "text": plain(label)}
