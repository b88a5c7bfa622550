"""What is in the store of a running Quorumbot, read past the bot and verified like the bot does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from bot.config import Config
from bot.identity import keyring
from bot.redis_link import link
from bot.store import keys
from bot.store.audit import AuditLog
from bot.store.runs import Runs
from bot.store.signing import Journal
from bot.store.unfinished import unfinished
from procedures.model.audit import is_due
from procedures.model.events import Began, Expired, Failed, Succeeded
from procedures.model.ids import RunId, Site
from tests.support.signing import STRANGER

_FINAL = (Succeeded, Failed, Expired)


class Store:
    """Reads only; each call on a connection of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def runs(self) -> set[str]:
        """The ids of all runs there are."""
        async with self._redis() as redis:
            found = [key.decode() async for key in redis.scan_iter(keys.events(RunId("*")))]
        return {key.split(":")[2] for key in found}

    async def journal(self, run: str) -> Journal:
        async with self._redis() as redis:
            return await Runs(redis, STRANGER, keyring(self._config)).read(RunId(run))

    async def leased(self, run: str) -> bool:
        """Whether a worker holds the run."""
        async with self._redis() as redis:
            return bool(await redis.exists(keys.lease(RunId(run))))

    async def idle(self) -> bool:
        """Whether every run has ended, and is shown and recorded."""
        async with self._redis() as redis:
            for site in self._config.file.sites:
                if await unfinished(redis, Site(site)):
                    return False
            if not await self._recorded(redis):
                return False
            if not await redis.exists(keys.FEED):
                return True
            (group,) = await redis.xinfo_groups(keys.FEED)
            stream = await redis.xinfo_stream(keys.FEED)
            delivered = group["last-delivered-id"] == stream["last-generated-id"]
            return bool(delivered and not group["pending"])

    async def _recorded(self, redis: Redis) -> bool:
        """Whether all changes are in the audit log, and no head is about to be published."""
        if await redis.zcard(keys.AUDIT_DUE):
            return False
        log = AuditLog(redis, "a reader")
        head, published = (await log.tail()).head, await log.published()
        now_ms = self._config.clock.now_ms()
        return head is None or not self._config.file.audit or not is_due(head, published, now_ms)

    @asynccontextmanager
    async def _redis(self) -> AsyncIterator[Redis]:
        async with link(self._config) as redis:
            yield redis


def began(journal: Journal) -> int:
    """How many workers took the run up."""
    return sum(isinstance(entry.event, Began) for entry in journal.entries)


def ends(journal: Journal) -> int:
    """How often the run ended; anything but once is a fault."""
    return sum(isinstance(entry.event, _FINAL) for entry in journal.entries)
