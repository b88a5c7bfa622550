"""The team as a fixture."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bot.store.connection import connect
from tests.integration.worker.saving import a_saving_sight
from tests.integration.worker.team import Team
from tests.support.redis import RedisServer


@pytest_asyncio.fixture
async def team(redis_server: RedisServer) -> AsyncIterator[Team]:
    client = connect(redis_server.url, redis_server.password)
    yield Team(client, a_saving_sight())
    await client.aclose()
