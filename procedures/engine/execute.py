"""Carrying an approved plan out, so that no crash loses or repeats a step.

Each step is journalled as started before, and as done after. A step that is found started is
looked for at its target: done, not done, or nobody can tell. Only what is proven not to have
happened is done again.
"""

from procedures.actions.catalogue import action
from procedures.actions.person import Ask
from procedures.engine.asking import ask
from procedures.engine.clearing import clear
from procedures.engine.doable import Doable, Retried
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
from procedures.model.errors import InDoubt, QuorumbotError, Retryable
from procedures.model.events import Done, Doubted, Failed, PutOff, Started, Succeeded
from procedures.model.plan import Plan, Retries, Step, resolved
from procedures.model.run import Run, StepState

PATIENCE_MS = 30_000
"""How long a step of which nobody can tell whether it happened is looked for, before a person
has to decide."""

_LOOK_AGAIN_MS = 2_000
_ONCE = Retries(times=1, wait_ms=0)
_NOT_DONE = "It did not happen."

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
    await clear(pen, world)
    await pen.write(Succeeded())


async def _advance(step: Step, pen: Pen, world: World) -> bool:
    """Bring a step further, from wherever it is; tells whether the run goes on."""
    before, halfway = pen.run.steps.get(step.number), False
    if before is not None and before.state in _OPEN and step.action != Ask.KIND:
        finding = await _look(step, pen, world)
        if not isinstance(finding, NotHappened):
            return await _found(finding, step, pen)
        halfway = finding.halfway
    elif before is not None and before.state is StepState.NOT_DONE and step.action != Ask.KIND:
        # A person has said so; its host may be back, with the command that nobody could ask about.
        finding = await _doable(step, pen).probe(world, pen.work(step.number))
        if isinstance(finding, Happened):
            return await _found(finding, step, pen)
        halfway = isinstance(finding, NotHappened) and finding.halfway
    if pen.run.cancel_asked is not None and not halfway:
        return await _cancelled(pen, world)
    if step.action == Ask.KIND:
        return await ask(step, pen, world)
    if before is not None and before.state is StepState.PUT_OFF and before.put_off is not None:
        try:
            await pen.work(step.number).pause(before.put_off.wait_ms)
        except Cancelling:
            return True
    return await _do(step, pen, world)


async def _do(step: Step, pen: Pen, world: World) -> bool:
    """Do one step; tells whether the run goes on."""
    before = pen.run.steps.get(step.number)
    attempt = before.attempts + 1 if before else 1
    await pen.write(Started(step.number, attempt))
    work = pen.work(step.number)
    retries = _ONCE
    try:
        doable = _doable(step, pen)
        retries = doable.RETRIES if isinstance(doable, Retried) else _ONCE
        value = await doable.perform(world, work)
    except InDoubt as error:
        await work.say(str(error))
        finding = await _look(step, pen, world)
        if isinstance(finding, NotHappened):
            became = (
                "It is half done: resume, to have it finished." if finding.halfway else _NOT_DONE
            )
            return await _failed(step, f"{error} {became}", pen)
        return await _found(finding, step, pen)
    except Cancelling as stopped:
        return await _cut_short(step, pen, world, under_way=bool(stopped.args))
    except Retryable as error:
        return await _again(step, str(error), retries, pen)
    except QuorumbotError as error:
        return await _failed(step, str(error), pen)
    await pen.write(Done(step.number, value))
    return True


async def _failed(step: Step, error: str, pen: Pen) -> bool:
    await pen.write(Failed(f"step {step.number}: {error}", step.number))
    return False


async def _cut_short(step: Step, pen: Pen, world: World, *, under_way: bool) -> bool:
    """End the run, when it is known what became of a step that had begun.

    `under_way`: a command of it was stopped.
    """
    finding = await _look(step, pen, world)
    if isinstance(finding, Unclear):
        return await _found(finding, step, pen)
    if isinstance(finding, NotHappened) and finding.halfway:
        return await _do(step, pen, world)
    if isinstance(finding, Happened):
        await pen.write(Done(step.number, finding.value, found=True))
        under_way = False
    return await _cancelled(pen, world, stopped=step.title if under_way else "")


async def _cancelled(pen: Pen, world: World, stopped: str = "") -> bool:
    """End the run, of which nothing is under way any more."""
    await clear(pen, world)
    await pen.write(cancelled(pen.run, stopped))
    return False


async def _again(step: Step, error: str, retries: Retries, pen: Pen) -> bool:
    """Put a step off in which nothing happened, as often as its action says."""
    now = pen.run.steps[step.number]
    tried = now.put_offs + 1
    if tried >= retries.times:
        return await _failed(step, f"{error} Tried {tried} times." if tried > 1 else error, pen)
    last = now.attempts + retries.times - tried
    await pen.work(step.number).say(f"attempt {now.attempts + 1} of {last}: {error}")
    await pen.write(PutOff(step.number, now.attempts, last, retries.wait_ms, error))
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
    work, doable = pen.work(step.number), _doable(step, pen)
    finding: Finding = Unclear("it was not looked for")
    for _ in range(PATIENCE_MS // _LOOK_AGAIN_MS):
        finding = await doable.probe(world, work)
        if not isinstance(finding, Unclear):
            return finding
        await work.say(finding.why)
        await work.rest(_LOOK_AGAIN_MS)
    return finding


def _doable(step: Step, pen: Pen) -> Doable:
    results = {number: each.value for number, each in pen.run.steps.items()}
    return action(step.action, resolved(step.args, results))


def _is_done(run: Run, number: int) -> bool:
    step = run.steps.get(number)
    return step is not None and step.state is StepState.DONE
