"""Who somebody is and what a channel is, as Slack says it, remembered for a minute at most."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import error_code
from commands.access import Asker, Place
from procedures.model.errors import Refused, Retryable
from procedures.model.ids import ChannelId, TeamId, UserId

REMEMBER_S = 60.0
TIMEOUT_S = 1.0
"""A look-up that takes longer fails, so that the acknowledgement is in time."""

_KINDS = (
    ("deleted", "deactivated"),
    ("is_ultra_restricted", "a single-channel guest"),
    ("is_restricted", "a guest"),
    ("is_stranger", "of another workspace"),
    ("is_bot", "a bot"),
    ("is_workflow_bot", "a workflow"),
    ("is_connector_bot", "a connector"),
)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[_T]):
    value: _T
    until: float


class Directory:
    """Look-ups of people and channels. What cannot be looked up is refused."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._people: dict[str, _Kept[Asker]] = {}
        self._places: dict[str, _Kept[Place]] = {}

    async def asker(self, user: UserId) -> Asker:
        """Look an account up. Raises Refused if Slack knows none, Retryable if it does not say."""

        async def ask() -> Asker:
            answer = await self._client.users_info(user=user)
            return _asker(answer["user"])

        return await self._remembered(self._people, user, ask)

    async def place(self, channel: ChannelId) -> Place:
        """Look a channel up. Raises as `asker` does."""

        async def ask() -> Place:
            answer = await self._client.conversations_info(channel=channel)
            return _place(answer["channel"])

        return await self._remembered(self._places, channel, ask)

    async def _remembered(
        self, kept: dict[str, _Kept[_T]], key: str, ask: Callable[[], Awaitable[_T]]
    ) -> _T:
        now = time.monotonic()
        if (found := kept.get(key)) and found.until > now:
            return found.value
        try:
            async with asyncio.timeout(TIMEOUT_S):
                value = await ask()
        except SlackApiError as error:
            code = error_code(error)
            if code in {"user_not_found", "user_not_visible", "channel_not_found"}:
                message = f"Slack does not know who or where you are ({code})."
                raise Refused(message) from error
            message = f"Slack did not say who you are ({code})."
            raise Retryable(message) from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            message = "Slack did not say in time who you are."
            raise Retryable(message) from error
        if len(kept) > 10_000:
            kept.clear()
        kept[key] = _Kept(value, now + REMEMBER_S)
        return value


def _asker(user: dict[str, Any]) -> Asker:
    kind = next((word for flag, word in _KINDS if user.get(flag)), None)
    return Asker(
        UserId(user["id"]), TeamId(user.get("team_id", "")), str(user.get("name", "")), kind
    )


def _place(channel: dict[str, Any]) -> Place:
    return Place(
        ChannelId(channel["id"]),
        shared=bool(channel.get("is_ext_shared") or channel.get("is_pending_ext_shared")),
        bot_is_member=bool(channel.get("is_member")),
    )
