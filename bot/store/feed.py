"""What one front at a time follows to show runs in Slack, and where it has shown them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.ports import Change, Showing, Shown
from bot.store import keys
from bot.store.connection import translated
from bot.store.leadership import Leadership
from bot.store.unfinished import waiting
from procedures.model.ids import ChannelId, RunId, Site

_CONSUMER = "projector"
_KEEP_MESSAGE_S = 30 * 24 * 3600
_NO_RUN = RunId("")


class Feed:
    """The feed, for the front that holds the projector's lease."""

    def __init__(
        self, redis: Redis, front: str, sites: Collection[Site] = (), *, lease_ms: int = 3_000
    ) -> None:
        self._redis = redis
        self._sites = sites
        self._leadership = Leadership(redis, keys.PROJECTOR, front, lease_ms)

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
        return await self._leadership.lead()

    async def resign(self) -> None:
        """Let another front show runs at once."""
        await self._leadership.resign()

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

    async def shown(self, run: RunId, what: Showing = "run") -> Shown | None:
        """Where a run is shown."""
        async with translated():
            fields: Any = await self._redis.hgetall(keys.message(run, what))
        if b"ts" not in fields:
            return None
        return Shown(
            ChannelId(fields[b"channel"].decode()),
            fields[b"ts"].decode(),
            fields[b"digest"].decode(),
        )

    async def show(self, run: RunId, shown: Shown, what: Showing = "run") -> None:
        """Remember where a run is shown."""
        fields = {"channel": shown.channel, "ts": shown.ts, "digest": shown.digest}
        await self._remember(keys.message(run, what), fields)

    async def forget(self, run: RunId, what: Showing = "run") -> None:
        """Forget where a run is shown, because the message is gone."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(keys.message(run, what), "channel", "ts", "digest")
            pipe.hincrby(keys.message(run, what), "gone", 1)
            pipe.expire(keys.message(run, what), _KEEP_MESSAGE_S)
            async with translated():
                await pipe.execute()

    async def gone(self, run: RunId, what: Showing = "run") -> int:
        """How often the message that showed a run was gone."""
        async with translated():
            return int(await self._redis.hget(keys.message(run, what), "gone") or 0)

    async def notes(self, run: RunId) -> Mapping[str, str]:
        """What was noted about a run, by name."""
        async with translated():
            fields: Any = await self._redis.hgetall(keys.notes(run))
        return {name.decode(): value.decode() for name, value in fields.items()}

    async def note(self, run: RunId, name: str, value: str) -> None:
        """Note what was said about a run, so that it is said once."""
        await self._remember(keys.notes(run), {name: value})

    async def undecided(self) -> Sequence[RunId]:
        """The runs that wait for a person."""
        return [run for site in self._sites for run in await waiting(self._redis, site)]

    async def _remember(self, key: str, fields: Mapping[str, str]) -> None:
        mapping: Any = dict(fields)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping=mapping)
            pipe.expire(key, _KEEP_MESSAGE_S)
            async with translated():
                await pipe.execute()

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
