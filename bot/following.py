"""Following a run to its end, and what is new in it, in words."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping

from bot.moments import time_of_day
from bot.run_words import approvals, asked_lines, headline, step_news, title
from bot.store.runs import Runs
from procedures.model.errors import Retryable
from procedures.model.ids import RunId, UserId
from procedures.model.run import Run, State, fold

_POLL_S = 0.05
_SILENCE_S = 60.0
"""A store that does not answer for so long is not waited for."""


async def states(runs: Runs, name: RunId, enough: asyncio.Event) -> AsyncIterator[Run]:
    """All states that a run goes through until its end, none left out, or until it is enough.

    There is at least one. Raises Retryable when the store is gone for a minute.
    """
    seen = 0
    heard = time.monotonic()
    while True:
        try:
            entries = (await runs.read(name)).entries
            heard = time.monotonic()
        except Retryable:
            if time.monotonic() - heard > _SILENCE_S:
                raise
            entries = ()
        run: Run | None = None
        for count in range(seen + 1, len(entries) + 1):
            run = fold(entries[:count])
            if run is not None:
                yield run
        seen = max(seen, len(entries))
        if (run is not None and run.state.final) or (seen and enough.is_set()):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await enough.wait()


def news(before: Run | None, now: Run, people: Mapping[UserId, str]) -> list[str]:
    """What has happened from one state of a run to the next; the request first of all."""
    if before is None:
        return [f"{title(now)} (run {now.id})"]
    lines = []
    if len(now.votes) > len(before.votes):
        vote = now.votes[-1]
        lines.append(f"<@{vote.user}>: {vote.decision}, {approvals(now, people)}")
    lines += _step_news(before, now)
    if now.cancel_asked is not None and before.cancel_asked is None:
        lines.append(f"<@{now.cancel_asked}> asked for its end")
    if (now.state, now.plans, now.held) != (before.state, before.plans, before.held):
        lines += _state(now, people)
    return lines


def _step_news(before: Run, now: Run) -> list[str]:
    steps = now.plan.steps if now.plan else ()
    return [
        f"Step {step.number} of {len(steps)}, {step.title}: {step_news(done)}"
        for step in steps
        if (done := now.steps.get(step.number)) and done != before.steps.get(step.number)
    ]


def _state(run: Run, people: Mapping[UserId, str]) -> list[str]:
    where = f" in <#{run.request.channel}>" if run.request.channel else ""
    line = str(run.state)
    if run.state.final:
        return [headline(run), *([run.error] if run.error else [])]
    if run.state is State.WAITING_FOR_APPROVAL:
        until = time_of_day(run.question(people).expires_at_ms)
        again = "; the cluster has changed, so all is decided again" if run.plans > 1 else ""
        line = f"{run.state}{where}: {title(run)}, {approvals(run, people)}, until {until}{again}"
    elif run.asked is not None:
        say = f"When it is done, press Done, or type /ops done {run.id}"
        return [f"{run.state}{where}", *asked_lines(run), say]
    elif run.doubt is not None:
        line = (
            f"{run.state} about step {run.doubt.step}: {run.doubt.error} Say what happened{where}."
        )
    elif run.held and run.state is State.QUEUED:
        line = f"{run.state}: {run.held}"
    return [line]
