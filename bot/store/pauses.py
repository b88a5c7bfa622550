"""Which clusters are paused. A pause only ever stops something, so nobody has to sign it."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import ClusterName, UserId


@dataclass(frozen=True, slots=True)
class Pause:
    """Who keeps a cluster from starting anything new, and since when."""

    user: UserId
    at_ms: int


class Pauses:
    """The pauses of all clusters."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def begin(self, cluster: ClusterName, pause: Pause) -> bool:
        """Pause a cluster; false, and nothing changes, where it is paused already."""
        async with translated():
            value = f"{pause.user} {pause.at_ms}"
            return bool(await self._redis.set(keys.paused(cluster), value, nx=True))

    async def end(self, cluster: ClusterName) -> bool:
        """End a pause; false where there is none."""
        async with translated():
            return bool(await self._redis.delete(keys.paused(cluster)))

    async def of(self, cluster: ClusterName) -> Pause | None:
        """The pause of a cluster."""
        async with translated():
            value: Any = await self._redis.get(keys.paused(cluster))
        if value is None:
            return None
        user, _, at_ms = value.decode(errors="replace").partition(" ")
        return Pause(UserId(user), int(at_ms) if at_ms.isdecimal() else 0)
