"""Publishes the heads of the audit log in a channel, for people and tools to keep."""

import asyncio
from uuid import UUID, uuid5

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import error_code
from procedures.model.audit import Head
from procedures.model.errors import Retryable
from procedures.model.ids import ChannelId

_CALL_S = 10.0
_HEADS = UUID("c0de5afe-0e7c-4d00-8000-a0d170c8ead5")
"""Name space of the ids under which heads are posted."""


class HeadChannel:
    """The channel. A head is posted under an id of its own, so that it is there once."""

    def __init__(self, client: AsyncWebClient, channel: ChannelId) -> None:
        self._client = client
        self._channel = channel

    async def post(self, head: Head) -> None:
        """Post a head. Raises Retryable, with why."""
        try:
            async with asyncio.timeout(_CALL_S):
                await self._client.chat_postMessage(
                    channel=self._channel,
                    text=f"Audit head {head}",
                    metadata={
                        "event_type": "quorumbot_audit_head",
                        "event_payload": {"index": head.index, "hash": head.hash},
                    },
                    unfurl_links=False,
                    unfurl_media=False,
                    client_msg_id=str(uuid5(_HEADS, str(head))),
                )
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            message = f"audit.channel {self._channel}: {error_code(error)}."
            raise Retryable(message) from error
