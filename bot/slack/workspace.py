"""The bot's own workspace: who the bot is in it, and its Socket Mode connections."""

import asyncio
import logging
from dataclasses import dataclass

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import error_code
from procedures.model.errors import Permanent
from procedures.model.ids import TeamId

_log = logging.getLogger(__name__)

CONNECTIONS = 2
"""Slack closes and reopens connections as it likes; with two, one is always there."""

_RETRY_S = 1.0
_HANDSHAKE_S = 8.0
_REFUSALS = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked"})
_PASSING = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Self:
    """The bot's own account."""

    team: TeamId
    user: str


def make_client(token: str, api_url: str | None) -> AsyncWebClient:
    """Make a client without retries: a call whose reply was lost is not repeated unseen."""
    client = AsyncWebClient(token=token, timeout=10, retry_handlers=[])
    if api_url:
        client.base_url = f"{api_url.rstrip('/')}/"
    return client


async def introduce(client: AsyncWebClient) -> Self:
    """Learn who the bot is, waiting for Slack if need be. Raises Permanent for a bad token."""
    while True:
        try:
            answer = await client.auth_test()
            return Self(TeamId(str(answer["team_id"])), str(answer["user_id"]))
        except _PASSING as error:
            code = error_code(error)
            if code in _REFUSALS:
                message = f"Slack refuses slack.bot_token ({code}). Check it."
                raise Permanent(message) from error
            _log.warning("Slack does not let us in yet: %s", code)
        await asyncio.sleep(_RETRY_S)


class Sockets:
    """The Socket Mode connections of an app, open while the context is.

    slack-sdk reconnects by itself, but tries an address whose handshake failed for ever, and an
    address is good for one try. So a connection that stays away is given a new one.
    """

    def __init__(self, app: AsyncApp, app_token: str) -> None:
        self._handlers = [AsyncSocketModeHandler(app, app_token) for _ in range(CONNECTIONS)]
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def connected(self) -> bool:
        """Tell whether Slack can reach the app now."""
        return any(_is_open(handler) for handler in self._handlers)

    async def __aenter__(self) -> None:
        """Begin to connect."""
        self._tasks = [asyncio.create_task(_stay_connected(each)) for each in self._handlers]

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=_HANDSHAKE_S)
        for handler in self._handlers:
            await handler.client.close()  # type: ignore[no-untyped-call]  # slack-sdk's own


async def _stay_connected(handler: AsyncSocketModeHandler) -> None:
    while True:
        if not _is_open(handler):
            # slack-sdk would go on with the address of before.
            handler.client.wss_uri = None
            try:
                async with asyncio.timeout(_HANDSHAKE_S):
                    await handler.client.connect()  # type: ignore[no-untyped-call]  # slack-sdk's
            except _PASSING as error:
                _log.warning("no Socket Mode connection yet: %s", error_code(error))
        await asyncio.sleep(_RETRY_S)


def _is_open(handler: AsyncSocketModeHandler) -> bool:
    session = handler.client.current_session
    return session is not None and not session.closed
