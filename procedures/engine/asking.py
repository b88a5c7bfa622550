"""Steps that a person does: asked for, said to be done, checked; asked for again where it lacks.

While people are at it no worker holds the run: what they say wakes one.
"""

from pydantic import JsonValue, TypeAdapter

from procedures.actions.catalogue import action
from procedures.actions.person import Ask
from procedures.engine.pen import Pen
from procedures.engine.ports import Cancelling, World
from procedures.model.errors import QuorumbotError
from procedures.model.events import Asked, Done
from procedures.model.plan import Step, resolved
from procedures.model.run import StepState

_ASK = TypeAdapter(Ask)


async def ask(step: Step, pen: Pen, world: World) -> bool:
    """Bring a person's step as far as it goes; tells whether the run goes on without one."""
    before = pen.run.steps.get(step.number)
    if before is None or before.state not in {StepState.ASKED, StepState.REPORTED}:
        await pen.write(Asked(step.number, before.attempts + 1 if before else 1))
    elif before.state is StepState.REPORTED:
        try:
            value = await _check(step, pen, world)
        except Cancelling:
            return True
        except QuorumbotError as error:
            await pen.work(step.number).say(f"not there yet: {error}")
            await pen.write(Asked(step.number, before.attempts + 1, str(error)))
        else:
            await pen.write(Done(step.number, value))
    return not pen.run.state.waits


async def _check(step: Step, pen: Pen, world: World) -> JsonValue:
    """Look whether it is done. Raises what is missing."""
    results = {number: each.value for number, each in pen.run.steps.items()}
    looks = _ASK.validate_python(resolved(step.args, results)).checked_by
    if looks is None:
        return None
    return await action(looks.kind, looks.args).perform(world, pen.work(step.number))
