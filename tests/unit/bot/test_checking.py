"""`quorumbot check`: how it asks, where a real server would not show the difference."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot import checking
from bot.config import Config, load

EXAMPLE = Path(__file__).parents[3] / "deploy" / "quorumbot.example.yaml"
SETTINGS = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


class OldRedis:
    """As of version 6.2, in which CONFIG GET takes exactly one name."""

    async def info(self, _: str) -> dict[str, str]:
        return {"redis_version": "6.2.0"}

    async def config_get(self, name: str) -> dict[bytes, bytes]:
        return {name.encode(): SETTINGS[name].encode()}


async def test_the_oldest_redis_can_be_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its settings are read with calls that it understands."""

    @asynccontextmanager
    async def link(_: Config) -> AsyncIterator[OldRedis]:
        yield OldRedis()

    monkeypatch.setattr(checking, "link", link)
    (found,) = await checking._redis(load(EXAMPLE))
    assert (found.ok, found.text) == (True, "version 6.2.0, every write on disk")
