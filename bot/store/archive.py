"""The whole audit log and all journals, for those who check or copy them. Reads only."""

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import RunId, read_run_id

_PAGE = 1_000


class Archive:
    """One store, as it is stored: nothing is verified here."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def links(self) -> AsyncIterator[bytes]:
        """Read the audit log, from its first link to the one that is the last now."""
        async with translated():
            length: int = await self._redis.llen(keys.AUDIT)
        for first in range(0, length, _PAGE):
            last = min(first + _PAGE, length) - 1
            async with translated():
                page: Any = await self._redis.lrange(keys.AUDIT, first, last)
            for raw in page:
                yield raw

    async def runs(self) -> set[RunId]:
        """Name all runs that have a journal, questions as well."""
        found: set[RunId] = set()
        cursor = 0
        while True:
            names: Any
            async with translated():
                cursor, names = await self._redis.scan(
                    cursor, match=keys.events(RunId("*")), count=_PAGE
                )
            for name in names:
                run = name.decode(errors="replace").split(":")[2]
                if read_run_id(run) == run:  # what has another name, nobody believes
                    found.add(RunId(run))
            if not cursor:
                return found

    async def journal(self, run: RunId) -> list[bytes]:
        """Read a run's entries; none where there is no such run."""
        async with translated():
            stored: Any = await self._redis.lrange(keys.events(run), 0, -1)
        return list(stored)
