"""A stage for each test: an emptied Redis, and a workspace of its own."""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.workspace.server import Credentials, Server
from bot.slack import pace
from bot.store.connection import connect
from tests.integration.showing.stage import Stage
from tests.integration.workspace.harness import Control
from tests.support.redis import RedisServer


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, and little time between edits and excerpts."""
    for name in list(os.environ):
        if name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)
    for name, seconds in (("EDIT_S", 0.2), ("EXCERPT_S", 0.4), ("GATHER_S", 0.1)):
        monkeypatch.setattr(pace, name, seconds)


@pytest.fixture
async def stage(redis_server: RedisServer) -> AsyncIterator[Stage]:
    credentials = Credentials.generate()
    server = await Server.start(credentials=credentials, commands=[])
    redis = connect(redis_server.url, redis_server.password)
    async with aiohttp.ClientSession() as session:
        yield Stage(redis, server, credentials, Control(session, server.url))
    await redis.aclose()
    await server.close()
