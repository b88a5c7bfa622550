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
from bot.slack.errors import error_code, retry_after_s
from procedures.model.ids import ChannelId, RunId

_log = logging.getLogger(__name__)

_CALL_S = 10.0
_MESSAGES = UUID("c0de5afe-0e7c-4d00-8000-71c0de5a0e7c")
"""Name space of the ids under which messages are posted."""

_GONE = frozenset(
    {
        "message_not_found",
        "duplicate_message_not_found",
        "thread_not_found",
        "edit_window_closed",
        "cant_update_message",
    }
)
_REFUSED = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
    }
)
_PASSING = frozenset(
    {
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "not_authed",
        "invalid_auth",
        "token_revoked",
        "account_inactive",
    }
)
_MARKS = re.compile(r"[<>]|&[lg]t;|&amp;")
_FAULTS = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)


class NotNowError(Exception):
    """Slack did not take it. It may be tried again, after `seconds` at the earliest."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(f"not before {seconds:.1f} s")
        self.seconds = seconds


class GoneError(Exception):
    """What was to be edited or replied to is deleted, or what was posted once is."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.once_posted = code == "duplicate_message_not_found"


class RefusedError(Exception):
    """Slack will never take it; `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
            code = error_code(error)
            if code in _GONE:
                raise GoneError(code) from error
            if code in _REFUSED or not (patient or _passes(error, code)):
                raise RefusedError(code) from error
            _log.warning("%s was not done: %s", method, code)
            limited_s = retry_after_s(error)
            self._not_before[method] = time.monotonic() + limited_s
            raise NotNowError(limited_s) from error
        self._metrics.slack_calls.labels(method, "ok").inc()
        return answer


def _passes(error: Exception, code: str) -> bool:
    return not isinstance(error, SlackApiError) or code in _PASSING or code.startswith("HTTP ")
