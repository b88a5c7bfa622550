"""Runs that are not at their end."""

from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import RunId, Site

_MOST = 1_000


async def unfinished(redis: Redis, site: Site) -> list[RunId]:
    """Name up to 1,000 of a site's, the ones woken longest ago first."""
    async with translated():
        names: Any = await redis.zrange(keys.unfinished(site), 0, _MOST - 1)
    return [RunId(name.decode()) for name in names]
