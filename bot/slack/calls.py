"""Slack's Web API as messages about runs need it: one call at a time, and what became of it."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid5

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.metrics import Metrics
from bot.slack.blocks import View
from bot.slack.errors import GoneError, NotNowError, RefusedError, error_code, failure_of
from procedures.model.ids import ChannelId, RunId

_log = logging.getLogger(__name__)

_CALL_S = 10.0
_MESSAGES = UUID("c0de5afe-0e7c-4d00-8000-71c0de5a0e7c")
"""Name space of the ids under which messages are posted."""

_MARKS = re.compile(r"[<>]|&[lg]t;|&amp;")
_FAULTS = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is there; `text` may be that of an earlier post under the same id."""

    ts: str
    text: str

    def shows(self, view: View) -> bool:
        """Tell whether this is the message that was to be posted; Slack marks links in it."""
        return _MARKS.sub("", self.text) == _MARKS.sub("", view.text)


class Calls:
    """Calls Slack once each, and leaves each method alone for as long as Slack asks."""

    def __init__(self, client: AsyncWebClient, metrics: Metrics) -> None:
        self.client = client
        self._metrics = metrics
        self._not_before: dict[str, float] = {}

    async def post(
        self,
        run: RunId,
        purpose: str,
        channel: ChannelId,
        view: View,
        *,
        thread: str | None = None,
        broadcast: bool = False,
    ) -> Posted:
        """Post once for each run and purpose, also when a reply is lost or a front dies.

        Raises GoneError when it was posted before and is deleted, or its thread is.
        """
        answer = await self.call(
            "chat.postMessage",
            lambda: self.client.chat_postMessage(
                channel=channel,
                text=view.text,
                blocks=list(view.blocks) or None,
                metadata=view.metadata,
                thread_ts=thread,
                reply_broadcast=broadcast or None,
                unfurl_links=False,
                unfurl_media=False,
                client_msg_id=str(uuid5(_MESSAGES, f"{run}{purpose}")),
            ),
        )
        return Posted(str(answer["ts"]), str(answer["message"].get("text")))

    async def update(self, channel: ChannelId, ts: str, view: View) -> None:
        """Edit a message. Raises GoneError when there is none any more."""
        await self.call(
            "chat.update",
            lambda: self.client.chat_update(
                channel=channel,
                ts=ts,
                text=view.text,
                blocks=list(view.blocks) or None,
                metadata=view.metadata,
            ),
        )

    async def permalink(self, channel: ChannelId, ts: str) -> str | None:
        """The address of a message; None when Slack does not tell."""
        try:
            answer = await self.call(
                "chat.getPermalink",
                lambda: self.client.chat_getPermalink(channel=channel, message_ts=ts),
            )
        except (NotNowError, GoneError, RefusedError):
            return None
        return str(answer["permalink"])

    async def call(
        self,
        method: str,
        make: Callable[[], Awaitable[AsyncSlackResponse]],
        *,
        patient: bool = True,
    ) -> AsyncSlackResponse:
        """Make one call. Raises NotNowError, GoneError or RefusedError.

        Unless `patient`, an error counts as refusal unless it is known to pass.
        """
        if (early_s := self._not_before.get(method, 0.0) - time.monotonic()) > 0:
            raise NotNowError(early_s)
        try:
            async with asyncio.timeout(_CALL_S):
                answer = await make()
        except _FAULTS as error:
            self._metrics.slack_calls.labels(method, "failed").inc()
            failure = failure_of(error, patient=patient)
            if isinstance(failure, NotNowError):
                _log.warning("%s was not done: %s", method, error_code(error))
                self._not_before[method] = time.monotonic() + failure.seconds
            raise failure from error
        self._metrics.slack_calls.labels(method, "ok").inc()
        return answer
