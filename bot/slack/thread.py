"""What is said below a run's message, each thing once, whatever restarts in between."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.ports import Feed, Output, Shown
from bot.slack.blocks import View
from bot.slack.calls import Calls
from bot.slack.errors import GoneError
from bot.slack.excerpts import excerpt
from bot.slack.pace import Pace
from bot.slack.thread_views import (
    REMIND_MS,
    to_approve,
    to_do,
    to_do_still,
    to_look,
    to_remind,
    to_tell,
)
from procedures.model.inventory import Approvers
from procedures.model.run import Run, State


@dataclass(frozen=True, slots=True)
class Below:
    """Below which message a run's thread is, and what was said in it.

    `gone` counts the messages before this one that were deleted.
    """

    run: Run
    root: Shown
    gone: int
    notes: dict[str, str]


class Thread:
    """Speaks in the threads of runs."""

    def __init__(self, calls: Calls, feed: Feed, output: Output, now_ms: Callable[[], int]) -> None:
        self._calls = calls
        self._feed = feed
        self._output = output
        self._now_ms = now_ms

    async def post_plan(self, below: Below, parts: Sequence[View]) -> None:
        """Post those parts of a long plan that are not there yet."""
        name = plan_note(below.run, below.gone)
        posted, first = plan_posted(below)
        for number in range(posted, len(parts)):
            ts = await self._post(below, f"{name} {number}", parts[number])
            first = first or ts
            await self.note(below, name, f"{number + 1} {first}")

    async def ask(self, below: Below, approvers: Approvers) -> None:
        """Mention those who have to decide or to do something, when a run begins to wait, and
        those who decide once more before it expires.
        """
        run = below.run
        if run.asked is not None:
            said_by = run.steps[run.asked.step].said_by if run.asked.missing else None
            text = to_do_still(run, said_by) if said_by else to_do(run, approvers)
            await self._once(below, f"person {run.asked.id}", text)
        if run.state is State.IN_DOUBT and run.doubt is not None:
            attempt = run.steps[run.doubt.step].attempts
            name = f"doubt {run.doubt.step} {attempt}"
            await self._once(below, name, to_look(run, approvers), broadcast=True)
        if run.state is not State.WAITING_FOR_APPROVAL:
            return
        until_ms = run.question({}).expires_at_ms
        asked = f"waiting {run.plans}"
        await self._once(below, asked, to_approve(run, approvers, until_ms))
        late_ms = until_ms - REMIND_MS
        asked_ms = float(below.notes[asked] or 0) * 1_000
        if asked_ms < late_ms <= self._now_ms() < until_ms:
            await self._once(below, f"expiring {run.plans}", to_remind(run, approvers, until_ms))

    async def tell_output(self, below: Below, pace: Pace) -> float:
        """Post what is new of the output; gives after how many seconds there is more, or 0."""
        run = below.run
        first = int(below.notes.get("output", "0"))
        lines = await self._output.output(run.id, first) if run.steps else ()
        if not lines:
            return 0.0
        if (early_s := pace.excerpt_in_s(last=run.state.final)) > 0:
            return early_s
        await self._post(below, f"output {first}", View(excerpt(lines, first), ()))
        pace.excerpted()
        await self.note(below, "output", str(lines[-1].seq + 1))
        return 0.0

    async def tell_outcome(self, below: Below) -> None:
        """Tell the requester how it ended; a failure is shown in the channel as well."""
        run = below.run
        if run.state.final:
            failed = run.state is State.FAILED
            await self._once(below, f"outcome {run.ended_at_ms}", to_tell(run), broadcast=failed)

    async def note(self, below: Below, name: str, value: str) -> None:
        """Remember something about the run."""
        await self._feed.note(below.run.id, name, value)
        below.notes[name] = value

    async def _once(self, below: Below, name: str, text: str, *, broadcast: bool = False) -> None:
        if name not in below.notes:
            ts = await self._post(below, name, View(text, ()), broadcast=broadcast)
            await self.note(below, name, ts)

    async def _post(
        self, below: Below, purpose: str, view: View, *, broadcast: bool = False
    ) -> str:
        """Post, unless it is there or was deleted since; an earlier version is edited."""
        root = below.root
        try:
            posted = await self._calls.post(
                below.run.id,
                f" {purpose}",
                root.channel,
                view,
                thread=root.ts,
                broadcast=broadcast,
            )
        except GoneError as gone:
            if gone.once_posted:
                return ""
            raise
        if not posted.shows(view):
            with suppress(GoneError):
                await self._calls.update(root.channel, posted.ts, view)
        begun = f"thread {below.gone}"
        if begun not in below.notes:
            await self.note(below, begun, posted.ts)
        return posted.ts


def plan_note(run: Run, gone: int) -> str:
    """Under which name it is noted how much of a plan is in the thread."""
    return f"plan {gone} {run.plans}"


def plan_posted(below: Below) -> tuple[int, str]:
    """How many parts of a plan are in the thread, and the `ts` of the first."""
    count, _, first = below.notes.get(plan_note(below.run, below.gone), "0 ").partition(" ")
    return int(count), first
