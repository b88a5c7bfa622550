"""A workspace server of its own for each test, and clients for it."""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.server import Credentials, Server
from tests.integration.workspace.harness import COMMANDS, Cluster, Connect, Control


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """slack-sdk would send even loopback traffic to a proxy."""
    for name in list(os.environ):
        if name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials.generate()


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
async def server(credentials: Credentials, cluster: Cluster) -> AsyncIterator[Server]:
    server = await Server.start(credentials=credentials, commands=COMMANDS, cluster=cluster)
    yield server
    await server.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def control(server: Server, session: aiohttp.ClientSession) -> Control:
    return Control(session, server.url)


@pytest.fixture
def client(
    server: Server, session: aiohttp.ClientSession, credentials: Credentials
) -> AsyncWebClient:
    return AsyncWebClient(
        token=credentials.bot_token, base_url=f"{server.url}/api/", session=session
    )


@pytest.fixture
def app(client: AsyncWebClient, credentials: Credentials) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=credentials.signing_secret)


@pytest.fixture
async def connect(
    app: AsyncApp, client: AsyncWebClient, credentials: Credentials
) -> AsyncIterator[Connect]:
    """Opens a Socket Mode connection of the app; call it again for another."""
    handlers: list[AsyncSocketModeHandler] = []

    async def open_one() -> AsyncSocketModeHandler:
        handler = AsyncSocketModeHandler(
            app, credentials.app_token, web_client=client, ping_interval=0.2
        )
        handlers.append(handler)
        await handler.connect_async()  # type: ignore[no-untyped-call]
        return handler

    yield open_one
    for handler in handlers:
        await handler.close_async()  # type: ignore[no-untyped-call]
