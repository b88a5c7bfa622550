"""Connections to the configured Redis."""

import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from bot.config import Config, ConfigError
from bot.store.connection import connect


@contextlib.asynccontextmanager
async def link(config: Config) -> AsyncIterator[Redis]:
    """Make a client, and close it in the end. ConfigError: the password cannot be read."""
    reference = config.file.redis.password
    try:
        password = reference.read(config.base).reveal() if reference else None
    except ValueError as error:
        raise ConfigError((f"redis.password: {error}",)) from error
    redis = connect(config.file.redis.url, password)
    try:
        yield redis
    finally:
        await redis.aclose()
