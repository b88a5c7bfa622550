"""What somebody with write access to Redis can do to a list there."""

from redis.asyncio import Redis


async def at(redis: Redis, key: str, index: int) -> bytes:
    """What stands there."""
    stored = await redis.lindex(key, index)
    assert isinstance(stored, bytes)
    return stored


async def put(redis: Redis, key: str, index: int, raw: bytes) -> None:
    """Replace what stands there."""
    await redis.lset(key, index, raw)  # type: ignore[arg-type]  # redis-py knows str only


async def swap(redis: Redis, key: str, one: int, other: int) -> None:
    first, second = await at(redis, key, one), await at(redis, key, other)
    await put(redis, key, one, second)
    await put(redis, key, other, first)


async def drop(redis: Redis, key: str, index: int) -> None:
    await put(redis, key, index, b"gone")
    await redis.lrem(key, 1, "gone")


async def repeat(redis: Redis, key: str, index: int, onto: str) -> None:
    """Append once more what stands there."""
    await redis.rpush(onto, await at(redis, key, index))


async def expire(redis: Redis, key: str) -> None:
    """Let a key end, and wait until it has."""
    await redis.pexpire(key, 1)
    while await redis.exists(key):
        pass
