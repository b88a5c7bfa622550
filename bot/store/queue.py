"""Wake-ups for workers. They carry run ids only; losing or doubling one changes nothing.

A wake-up is delivered to one worker of the site. Whoever receives it tries for the run's lease.
Runs that are open, hold no lease and were not woken lately are found by `sweep`.
"""

from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import RunId, Site

SWEEP_AFTER_MS = 2_000
"""How long after its last wake-up a run without a lease is woken again."""

_BATCH = 100

_CONSUMER = "any"
"""Nothing is acknowledged later, so all workers may go by one name."""


class Queue:
    """The wake-ups of one site."""

    def __init__(self, redis: Redis, site: Site) -> None:
        self._redis = redis
        self._stream = keys.queue(site)
        self._open = keys.unfinished(site)

    async def open(self) -> None:
        """Make the stream and its group unless they exist."""
        async with translated():
            try:
                await self._redis.xgroup_create(self._stream, keys.QUEUE_GROUP, "0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    async def wait(self, at_most: int, timeout_ms: int) -> list[RunId]:
        """Receive up to `at_most` wake-ups, waiting `timeout_ms` for the first."""
        async with translated():
            reply: Any = await self._redis.xreadgroup(
                keys.QUEUE_GROUP,
                _CONSUMER,
                {self._stream: ">"},
                count=at_most,
                block=timeout_ms,
                noack=True,
            )
        return [RunId(fields[b"run"].decode()) for _, batch in reply or () for _, fields in batch]

    async def now_ms(self) -> int:
        """Tell the store's time: what `sweep`, `wake` and `put_off` reckon in."""
        async with translated():
            seconds, micros = await self._redis.time()
        return int(seconds) * 1_000 + int(micros) // 1_000

    async def sweep(self, now_ms: int) -> list[RunId]:
        """Name the open runs that no worker holds and nobody woke lately.

        Empty while wake-ups are waiting: those runs are on their way.
        """
        async with translated():
            if await self._waiting():
                return []
            stale: Any = await self._redis.zrangebyscore(
                self._open, "-inf", now_ms - SWEEP_AFTER_MS, start=0, num=_BATCH
            )
            runs = [RunId(name.decode()) for name in stale]
            if not runs:
                return []
            leases = await self._redis.mget([keys.lease(run) for run in runs])
        return [run for run, lease in zip(runs, leases, strict=True) if lease is None]

    async def wake(self, run: RunId, now_ms: int) -> None:
        """Wake a worker for a run, and remember when."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zadd(self._open, {run: now_ms}, xx=True)
            pipe.xadd(self._stream, {"run": run})
            async with translated():
                await pipe.execute()

    async def put_off(self, run: RunId, now_ms: int) -> None:
        """Leave a run for a later sweep, behind all others."""
        async with translated():
            await self._redis.zadd(self._open, {run: now_ms}, xx=True)

    async def _waiting(self) -> bool:
        groups = await self._redis.xinfo_groups(self._stream)
        stream = await self._redis.xinfo_stream(self._stream)
        return any(group["last-delivered-id"] != stream["last-generated-id"] for group in groups)
