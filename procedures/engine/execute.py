"""Carrying an approved plan out, so that no crash loses or repeats a step.

Each step is journalled as started before, and as done after. A step that is found started is
looked for at its target: done, not done, or nobody can tell. Only what is proven not to have
happened is done again.
"""

from procedures.actions.catalogue import action
from procedures.actions.person import Ask
from procedures.engine.asking import ask
from procedures.engine.pen import Pen
from procedures.engine.ports import (
    Cancelling,
    Finding,
    Happened,
    NotHappened,
    Unclear,
    World,
)
from procedures.model.cancelling import cancelled
from procedures.model.errors import InDoubt, QuorumbotError
from procedures.model.events import Done, Doubted, Failed, Started, Succeeded
from procedures.model.plan import Plan, Step, resolved
from procedures.model.run import Run, StepState

PATIENCE_MS = 30_000
"""How long a step of which nobody can tell whether it happened is looked for, before a person
has to decide."""

_LOOK_AGAIN_MS = 2_000

_OPEN = frozenset({StepState.STARTED, StepState.IN_DOUBT})
"""A step that stands so may have happened: it is looked for before anything else."""


async def execute(plan: Plan, pen: Pen, world: World) -> None:
    """Go on from wherever the journal says, to one of the ends; each is journalled.

    Returns without an end where a person has to decide or to do something first.
    """
    for step in plan.steps:
        while not _is_done(pen.run, step.number):
            if not await _advance(step, pen, world):
                return
    await pen.write(Succeeded())


async def _advance(step: Step, pen: Pen, world: World) -> bool:
    """Bring a step further, from wherever it is; tells whether the run goes on."""
    before = pen.run.steps.get(step.number)
    if before is not None and before.state in _OPEN and step.action != Ask.KIND:
        finding = await _look(step, pen, world)
        if not isinstance(finding, NotHappened):
            return await _found(finding, step, pen)
    if pen.run.cancel_asked is not None:
        await pen.write(cancelled(pen.run))
        return False
    if step.action == Ask.KIND:
        return await ask(step, pen, world)
    return await _do(step, pen, world)


async def _do(step: Step, pen: Pen, world: World) -> bool:
    """Do one step; tells whether the run goes on."""
    before = pen.run.steps.get(step.number)
    attempt = before.attempts + 1 if before else 1
    results = {number: each.value for number, each in pen.run.steps.items()}
    await pen.write(Started(step.number, attempt))
    work = pen.work(step.number)
    try:
        doable = action(step.action, resolved(step.args, results))
        value = await doable.perform(world, work)
    except InDoubt as error:
        await work.say(str(error))
        finding = await _look(step, pen, world)
        if isinstance(finding, NotHappened):
            await pen.write(Failed(f"step {step.number}: {error} It did not happen.", step.number))
            return False
        return await _found(finding, step, pen)
    except Cancelling:
        finding = await _look(step, pen, world)
        if isinstance(finding, Unclear):
            return await _found(finding, step, pen)
        if isinstance(finding, Happened):
            await pen.write(Done(step.number, finding.value, found=True))
        await pen.write(cancelled(pen.run))
        return False
    except QuorumbotError as error:
        await pen.write(Failed(f"step {step.number}: {error}", step.number))
        return False
    await pen.write(Done(step.number, value))
    return True


async def _found(finding: Finding, step: Step, pen: Pen) -> bool:
    """Journal what was found of an interrupted step; tells whether the run goes on."""
    match finding:
        case Happened(value=value):
            await pen.write(Done(step.number, value, found=True))
        case Unclear(why=why):
            await pen.write(Doubted(step.number, why))
            return False
        case NotHappened():
            pass
    return True


async def _look(step: Step, pen: Pen, world: World) -> Finding:
    """Look for an interrupted step, for a while: what nobody can tell now may show."""
    work = pen.work(step.number)
    results = {number: each.value for number, each in pen.run.steps.items()}
    doable = action(step.action, resolved(step.args, results))
    finding: Finding = Unclear("it was not looked for")
    for _ in range(PATIENCE_MS // _LOOK_AGAIN_MS):
        finding = await doable.probe(world, work)
        if not isinstance(finding, Unclear):
            return finding
        await work.say(finding.why)
        await work.rest(_LOOK_AGAIN_MS)
    return finding


def _is_done(run: Run, number: int) -> bool:
    step = run.steps.get(number)
    return step is not None and step.state is StepState.DONE
