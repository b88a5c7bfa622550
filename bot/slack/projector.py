"""Shows runs in Slack: follows the feed and keeps one message for each run up to date.

Slack is a projection. A message is made from the state of its run at the moment of sending, so
that a late, repeated or lost notice changes nothing, and a notice is settled only when Slack has
shown what it was about. One front at a time does this; another takes over when it stops.
"""

import asyncio
import contextlib
import logging
import time
from uuid import UUID, uuid4, uuid5

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.metrics import Metrics
from bot.ports import Change, Feed, RunReader, Shown
from bot.slack.errors import error_code, retry_after_s
from bot.slack.views import View, view
from procedures.model.errors import QuorumbotError
from procedures.model.ids import ChannelId, RunId
from procedures.model.run import Run

_log = logging.getLogger(__name__)

PATIENCE_S = 1.0
"""How long a run may go without an answer before a message says what it waits for."""

_HANDS = 20
"""So many runs are read and shown at once; the others wait."""

_RENEW_S = 1.0
_PAUSE_S = 0.5
_CALL_S = 10.0
_LONGEST_PAUSE_S = 15.0
_MESSAGES = UUID("c0de5afe-0e7c-4d00-8000-71c0de5a0e7c")
"""Name space of the ids under which messages are posted."""

_OLDER = ""
"""Stands for the digest of a message that shows something older than it should."""

_HOPELESS = frozenset(
    {"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "invalid_blocks"}
)


class Projector:
    """Keeps messages up to date for as long as it runs and leads."""

    def __init__(
        self, client: AsyncWebClient, feed: Feed, runs: RunReader, metrics: Metrics
    ) -> None:
        self._client = client
        self._feed = feed
        self._runs = runs
        self._metrics = metrics
        self._waiting: dict[RunId, list[Change]] = {}
        self._changed: dict[RunId, asyncio.Event] = {}
        self._not_before: dict[str, float] = {}
        self._deleted: set[RunId] = set()
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
                self._waiting.setdefault(change.run, []).append(change)
                if change.run in self._changed:
                    self._changed[change.run].set()
                else:
                    self._changed[change.run] = asyncio.Event()
                    group.create_task(self._keep(change.run))
            self.fault = None
            changes = await self._feed.wait(1_000)

    async def _keep(self, name: RunId) -> None:
        """Show one run until there is nothing more to show for now."""
        changed = self._changed[name]
        pause = _PAUSE_S
        while changes := self._waiting.get(name):
            seen = len(changes)
            changed.clear()
            async with self._hands:
                run = await self._runs.run(name)
            if run is not None and run.request.channel is not None:
                if (silence_s := _silence_s(run)) > 0:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(silence_s):
                            await changed.wait()
                    continue
                async with self._hands:
                    wait_s = await self._show(run, run.request.channel, pause)
                if wait_s:
                    pause = min(pause * 2, _LONGEST_PAUSE_S)
                    await asyncio.sleep(wait_s)  # whatever happens meanwhile: Slack is left alone
                    continue
            await self._feed.settle(changes[:seen])
            self._waiting[name] = changes[seen:]
        del self._waiting[name], self._changed[name]

    async def _show(self, run: Run, channel: ChannelId, pause: float) -> float:
        """Bring the message up to date, or find that it never will be.

        Gives 0, or after how many seconds to try again: `pause`, or what Slack asks for.
        """
        wanted = view(run)
        shown = await self._feed.shown(run.id)
        if shown is not None and shown.digest == wanted.digest:
            return 0.0
        method = "chat.postMessage" if shown is None else "chat.update"
        if (early_s := self._not_before.get(method, 0.0) - time.monotonic()) > 0:
            return early_s
        try:
            async with asyncio.timeout(_CALL_S):
                now_shown = await self._send(run.id, wanted, channel, shown)
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            code = error_code(error)
            self._metrics.slack_calls.labels(method, "failed").inc()
            if code in _HOPELESS:
                _log.error("run %s cannot be shown in %s: %s", run.id, channel, code)
                return 0.0
            _log.warning("run %s is not shown yet: %s", run.id, code)
            if code in {"message_not_found", "duplicate_message_not_found"}:
                self._deleted.add(run.id)
                await self._feed.forget(run.id)
                return pause
            limited_s = retry_after_s(error)
            self._not_before[method] = time.monotonic() + limited_s
            return max(pause, limited_s)
        self._metrics.slack_calls.labels(method, "ok").inc()
        await self._feed.show(run.id, now_shown)
        last = run.ended_at_ms or run.requested_at_ms
        self._metrics.slack_lag_seconds.observe(max(0.0, time.time() - last / 1_000))
        return 0.0 if now_shown.digest == wanted.digest else pause

    async def _send(
        self, run: RunId, wanted: View, channel: ChannelId, shown: Shown | None
    ) -> Shown:
        """Post or edit once; tells what is shown then.

        A post carries an id of ours, so that one whose reply was lost, or whose front died, is
        not made twice: Slack answers with the message that is there, and that may be an older one.
        """
        blocks = list(wanted.blocks)
        if shown is not None:
            await self._client.chat_update(
                channel=shown.channel,
                ts=shown.ts,
                text=wanted.text,
                blocks=blocks,
                metadata=wanted.metadata,
            )
            return Shown(shown.channel, shown.ts, wanted.digest)
        answer = await self._client.chat_postMessage(
            channel=channel,
            text=wanted.text,
            blocks=blocks,
            metadata=wanted.metadata,
            unfurl_links=False,
            unfurl_media=False,
            client_msg_id=str(uuid4() if run in self._deleted else uuid5(_MESSAGES, run)),
        )
        self._deleted.discard(run)
        is_new = answer["message"].get("text") == wanted.text
        return Shown(channel, str(answer["ts"]), wanted.digest if is_new else _OLDER)


class _NoLongerLeadingError(Exception):
    """Another front leads."""


def _silence_s(run: Run) -> float:
    """How much longer to wait for an answer before saying that there is none yet."""
    if run.answer is not None or run.state.final:
        return 0.0
    return PATIENCE_S - (time.time() - run.requested_at_ms / 1_000)
