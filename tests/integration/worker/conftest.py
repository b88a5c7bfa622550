"""The team as a fixture."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bot.store.connection import connect
from tests.integration.worker.team import Team
from tests.support.redis import RedisServer
from tests.support.sight import a_sight_without_hosts


@pytest_asyncio.fixture
async def team(redis_server: RedisServer) -> AsyncIterator[Team]:
    client = connect(redis_server.url, redis_server.password)
    yield Team(client, a_sight_without_hosts())
    await client.aclose()
