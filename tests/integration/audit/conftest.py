"""A store, and fronts that record in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.metrics import Metrics
from bot.recording import Recorder
from bot.store.audit import AuditLog
from bot.store.connection import connect
from tests.integration.audit.harness import Channel, Clock, MakeFront
from tests.support.redis import RedisServer
from tests.support.signing import FRONT, KEYRING


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


@pytest.fixture
def channel() -> Channel:
    return Channel()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def front(redis: Redis, channel: Channel, clock: Clock) -> MakeFront:
    """Makes fronts: `front("one", lease_ms=100)`."""

    def make(name: str = "one", *, lease_ms: int = 5_000) -> Recorder:
        return Recorder(
            AuditLog(redis, name, lease_ms=lease_ms),
            FRONT,
            KEYRING,
            board=channel,
            metrics=Metrics(),
            now_ms=clock.now_ms,
        )

    return make
