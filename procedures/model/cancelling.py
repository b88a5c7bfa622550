"""The end of a run that somebody asked for, and what it leaves."""

from collections.abc import Iterator

from procedures.model.events import Cancelled
from procedures.model.run import Run, StepState


def cancelled(run: Run, stopped: str = "") -> Cancelled:
    """End a run of which nothing is under way, and say what was done before.

    `stopped` is the title of a step in the midst of which it was stopped.
    """
    return Cancelled(" ".join(_sentences(run, stopped)))


def _sentences(run: Run, stopped: str) -> Iterator[str]:
    done, asked = (_titles(run, state) for state in (StepState.DONE, StepState.ASKED))
    if stopped:
        before = f"Done before: {done}. " if done else ""
        yield f"stopped under way: {stopped}. {before}The rest was not begun."
        return
    if asked:
        yield f"nobody said whether this was done: {asked}."
    if done:
        yield f"{'Done' if asked else 'done'} before: {done}. The rest was not begun."
    elif not asked:
        yield "nothing was done."


def _titles(run: Run, state: StepState) -> str:
    steps = run.plan.steps if run.plan else ()
    begun = run.steps
    return "; ".join(
        step.title for step in steps if step.number in begun and begun[step.number].state is state
    )
