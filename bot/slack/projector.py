"""Shows runs in Slack: one front at a time leads, follows the feed, and shows what has changed.

Slack is a projection. What is shown is made from the state of a run at the moment of sending, so
that a late, repeated or lost notice changes nothing, and a notice is settled only when Slack has
shown what it was about. Another front takes over when this one stops.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from slack_sdk.web.async_client import AsyncWebClient

from bot.metrics import Metrics
from bot.ports import Change, Feed, Output, RunReader
from bot.slack.calls import Calls
from bot.slack.changes import Changes
from bot.slack.errors import NotNowError
from bot.slack.incidents import Incidents
from bot.slack.links import Links
from bot.slack.messages import Messages
from bot.slack.questions import Questions
from bot.slack.run_log import RunLog
from bot.slack.thread import Thread
from procedures.catalogue import PROCEDURES
from procedures.model.errors import QuorumbotError
from procedures.model.ids import RunId
from procedures.model.inventory import Inventory
from procedures.model.run import Run

_log = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""How long a run may go without an answer before a message says what it waits for."""

_HANDS = 20
"""So many runs are read and shown at once; the others wait."""

_GATHER_S = 0.1
_RENEW_S = 1.0
_LOOK_S = 5.0
_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0


class Projector:
    """Keeps what Slack shows up to date for as long as it runs and leads."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        feed: Feed,
        runs: RunReader,
        output: Output,
        inventory: Inventory,
        metrics: Metrics,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        calls = Calls(client, metrics)
        messages = Messages(calls, feed, metrics)
        links = Links(calls, feed)
        thread = Thread(calls, feed, output, now_ms)
        self._questions = Questions(messages)
        self._changes = Changes(
            messages=messages,
            thread=thread,
            log=RunLog(calls, thread, output),
            incidents=Incidents(messages, links, feed, inventory),
            links=links,
            feed=feed,
            inventory=inventory,
        )
        self._feed = feed
        self._runs = runs
        self._waiting: dict[RunId, list[Change]] = {}
        self._changed: dict[RunId, asyncio.Event] = {}
        self._hands = asyncio.Semaphore(_HANDS)
        self._leading = False
        self.fault: str | None = None

    async def run(self) -> None:
        """Lead whenever nobody else does; until cancelled."""
        opened = False
        while True:
            try:
                if not opened:
                    await self._feed.open()
                    opened = True
                if await self._feed.lead():
                    await self._lead()
                self.fault = None
            except* QuorumbotError as errors:
                opened = False
                self.fault = str(errors.exceptions[0])
                _log.warning("messages are waiting: %s", errors.exceptions)
            await asyncio.sleep(_PAUSE_S)

    async def _lead(self) -> None:
        """Show what changes until the lease is lost; then everything in hand is dropped."""
        self._waiting.clear()
        self._changed.clear()
        self._leading = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(group))
                group.create_task(self._look_after(group))
                group.create_task(self._renew())
        except* _NoLongerLeadingError:
            _log.info("another front shows runs now")
        finally:
            self._leading = False
            with contextlib.suppress(QuorumbotError):
                await self._feed.resign()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_S)
            if not await self._feed.lead():
                self._leading = False
                raise _NoLongerLeadingError

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        changes = await self._feed.pending()
        while self._leading:  # a cancellation can get lost inside redis-py
            for change in changes:
                self._take(change.run, group).append(change)
                self._changed[change.run].set()
            self.fault = None
            changes = await self._feed.wait(1_000)

    async def _look_after(self, group: asyncio.TaskGroup) -> None:
        """Look at runs that wait for a person: time alone makes something due there."""
        while self._leading:
            for run in await self._feed.undecided():
                self._take(run, group)
            await asyncio.sleep(_LOOK_S)

    def _take(self, run: RunId, group: asyncio.TaskGroup) -> list[Change]:
        """Take a run in hand unless it is; gives its changes that are to be shown."""
        if run not in self._changed:
            self._changed[run] = asyncio.Event()
            self._waiting[run] = []
            group.create_task(self._keep(run))
        return self._waiting[run]

    async def _keep(self, name: RunId) -> None:
        """Show one run until there is nothing more to show for now."""
        changes, changed = self._waiting[name], self._changed[name]
        pause = _PAUSE_S
        while self._leading:
            seen = len(changes)
            changed.clear()
            async with self._hands:
                run = await self._runs.run(name)
            if run is not None:
                if (silence_s := _silence_s(run)) > 0:
                    await _first_of(changed, silence_s)
                    continue
                try:
                    async with self._hands:
                        wait_s = await self._show(run)
                except NotNowError as later:
                    await asyncio.sleep(max(pause, later.seconds))  # Slack is left alone
                    pause = min(pause * 2, _LONGEST_PAUSE_S)
                    continue
                if wait_s:
                    await asyncio.sleep(_GATHER_S)  # changes that come in crowds go together
                    await _first_of(changed, wait_s - _GATHER_S)
                    continue
            if seen:
                await self._feed.settle(changes[:seen])
                del changes[:seen]
            if not changes:
                break
        del self._waiting[name], self._changed[name]

    async def _show(self, run: Run) -> float:
        """Bring Slack up to date; gives 0, or after how many seconds there is more to show."""
        if run.request.command in PROCEDURES:
            return await self._changes.show(run)
        await self._questions.show(run)
        return 0.0


class _NoLongerLeadingError(Exception):
    """Another front leads."""


async def _first_of(changed: asyncio.Event, seconds: float) -> None:
    """Wait for a change, or for some seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()


def _silence_s(run: Run) -> float:
    """How much longer to wait for an answer before saying that there is none yet."""
    told = run.answer is not None or run.plan is not None or run.state.final
    if told or run.request.channel is None:
        return 0.0
    age_s = time.time() - run.requested_at_ms / 1_000
    return PATIENCE_S - age_s if age_s > 0 else 0.0  # a sandbox's time may be ahead
