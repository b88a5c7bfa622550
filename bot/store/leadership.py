"""A lease on what one front at a time does."""

from redis.asyncio import Redis

from bot.store.connection import translated


class Leadership:
    """One front's claim to it. `name` is a name that no other front has."""

    def __init__(self, redis: Redis, key: str, name: str, lease_ms: int) -> None:
        self._redis = redis
        self._key = key
        self._name = name
        self._lease_ms = lease_ms

    async def lead(self) -> bool:
        """Become, or stay, the one that does it. To be called within each lease."""
        async with translated():
            if await self._redis.set(self._key, self._name, nx=True, px=self._lease_ms):
                return True
            if await self._redis.get(self._key) != self._name.encode():
                return False
            # If another front takes over just here, its lease is lengthened once: no harm.
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.pexpire(self._key, self._lease_ms)
                pipe.get(self._key)
                _, holder = await pipe.execute()
            return bool(holder == self._name.encode())

    async def resign(self) -> None:
        """Let another front do it at once."""
        async with translated():
            if await self._redis.get(self._key) == self._name.encode():
                await self._redis.delete(self._key)
