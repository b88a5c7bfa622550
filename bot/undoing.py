"""Which requests take a run back, and what can only be advised."""

from dataclasses import dataclass

from procedures.catalogue import PROCEDURES
from procedures.model.errors import Refused
from procedures.model.events import Requested, Requester
from procedures.model.ids import ChannelId
from procedures.model.plan import Step
from procedures.model.run import Run, StepState


@dataclass(frozen=True, slots=True)
class Undoing:
    """Requests, each with the step that it takes back and how people would type it; and advice."""

    requests: tuple[tuple[Step, str, Requested], ...]
    advice: tuple[str, ...]


def undoing(run: Run, requester: Requester, channel: ChannelId | None) -> Undoing:
    """What takes back the completed steps of a run that is at its end, the last one first.

    Raises Refused where there is nothing to take back.
    """
    if not run.state.final:
        message = f"Run {run.id} is not at its end ({run.state.lower()}). Cancel it first."
        raise Refused(message)
    steps = run.plan.steps if run.plan else ()
    done = [step for step in reversed(steps) if _is_done(run, step)]
    if not done:
        message = f"No step of run {run.id} was done, so there is nothing to undo."
        raise Refused(message)
    requests: list[tuple[Step, str, Requested]] = []
    advice: list[str] = []
    results = {number: each.value for number, each in run.steps.items()}
    for step in done:
        if step.undo is None:
            continue
        undo = step.undo.filled(results)
        if undo.command is None or undo.command not in PROCEDURES:
            advice.append(f"Step {step.number} ({step.title}): {undo.words}")
            continue
        request = Requested(
            command=undo.command,
            args=undo.typed,
            cluster=run.request.cluster,
            site=run.request.site,
            requester=requester,
            channel=channel,
            reason=f"undo of step {step.number} of run {run.id}",
        )
        requests.append((step, undo.words, request))
    if not requests and not advice:
        message = f"No step of run {run.id} needs to be taken back."
        raise Refused(message)
    return Undoing(tuple(requests), tuple(advice))


def _is_done(run: Run, step: Step) -> bool:
    done = run.steps.get(step.number)
    return done is not None and done.state is StepState.DONE
