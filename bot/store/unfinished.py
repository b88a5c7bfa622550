"""Lists of runs: those that need a worker, those that need a person, and those that ended."""

from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import ClusterName, RunId, Site

_MOST = 1_000


async def unfinished(redis: Redis, site: Site) -> list[RunId]:
    """Name up to 1,000 of a site's, the ones woken longest ago first."""
    async with translated():
        names: Any = await redis.zrange(keys.unfinished(site), 0, _MOST - 1)
    return [RunId(name.decode()) for name in names]


async def waiting(redis: Redis, site: Site) -> list[RunId]:
    """Name up to 1,000 of a site's runs that wait for a person, the longest waiting first."""
    async with translated():
        names: Any = await redis.zrange(keys.waiting(site), 0, _MOST - 1)
    return [RunId(name.decode()) for name in names]


async def ended(redis: Redis, cluster: ClusterName, most: int) -> list[RunId]:
    """Name the last changes of a cluster that are at their end, the newest first.

    One that was resumed since stays among them, and the list holds 200 at most: it is for people
    to look at, and not the record.
    """
    async with translated():
        names: Any = await redis.zrange(keys.ended(cluster), 0, most - 1, desc=True)
    return [RunId(name.decode()) for name in names]
