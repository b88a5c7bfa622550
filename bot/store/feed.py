"""What one front at a time follows to show runs in Slack, and where it has shown them."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.ports import Change, Shown
from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import ChannelId, RunId

_CONSUMER = "projector"
_KEEP_MESSAGE_S = 30 * 24 * 3600
_NO_RUN = RunId("")


class Feed:
    """The feed, for the front that holds the projector's lease."""

    def __init__(self, redis: Redis, front: str, *, lease_ms: int = 3_000) -> None:
        self._redis = redis
        self._front = front
        self._lease_ms = lease_ms

    async def open(self) -> None:
        """Make the stream and its group unless they exist."""
        async with translated():
            try:
                await self._redis.xgroup_create(keys.FEED, keys.FEED_GROUP, "0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def lead(self) -> bool:
        """Become, or stay, the one front that shows runs. To be called within each lease."""
        async with translated():
            if await self._redis.set(keys.PROJECTOR, self._front, nx=True, px=self._lease_ms):
                return True
            if await self._redis.get(keys.PROJECTOR) != self._front.encode():
                return False
            # If another front takes over just here, its lease is lengthened once: no harm.
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.pexpire(keys.PROJECTOR, self._lease_ms)
                pipe.get(keys.PROJECTOR)
                _, holder = await pipe.execute()
            return bool(holder == self._front.encode())

    async def resign(self) -> None:
        """Let another front show runs at once."""
        async with translated():
            if await self._redis.get(keys.PROJECTOR) == self._front.encode():
                await self._redis.delete(keys.PROJECTOR)

    async def pending(self) -> list[Change]:
        """What was delivered before and never settled, by this front or one before it."""
        found: list[Change] = []
        start = "0"
        while batch := await self._read(start, None):
            found += batch
            start = batch[-1].id
        return found

    async def wait(self, timeout_ms: int) -> list[Change]:
        """What is new, waiting `timeout_ms` for the first."""
        return await self._read(">", timeout_ms)

    async def settle(self, changes: Sequence[Change]) -> None:
        """Forget changes that are shown."""
        async with translated():
            await self._redis.xack(keys.FEED, keys.FEED_GROUP, *(change.id for change in changes))

    async def shown(self, run: RunId) -> Shown | None:
        """Where a run is shown."""
        async with translated():
            fields: Any = await self._redis.hgetall(keys.message(run))
        if not fields:
            return None
        return Shown(
            ChannelId(fields[b"channel"].decode()),
            fields[b"ts"].decode(),
            fields[b"digest"].decode(),
        )

    async def show(self, run: RunId, shown: Shown) -> None:
        """Remember where a run is shown."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(
                keys.message(run),
                mapping={"channel": shown.channel, "ts": shown.ts, "digest": shown.digest},
            )
            pipe.expire(keys.message(run), _KEEP_MESSAGE_S)
            async with translated():
                await pipe.execute()

    async def forget(self, run: RunId) -> None:
        """Forget where a run is shown, because the message is gone."""
        async with translated():
            await self._redis.delete(keys.message(run))

    async def _read(self, start: str, timeout_ms: int | None) -> list[Change]:
        async with translated():
            reply: Any = await self._redis.xreadgroup(
                keys.FEED_GROUP, _CONSUMER, {keys.FEED: start}, count=200, block=timeout_ms
            )
        entries = [entry for _, batch in reply or () for entry in batch]
        trimmed = [Change(name.decode(), _NO_RUN) for name, fields in entries if not fields]
        if trimmed:  # the stream has dropped them: nobody can show them any more
            await self.settle(trimmed)
        return [
            Change(name.decode(), RunId(fields[b"run"].decode()))
            for name, fields in entries
            if fields
        ]
