"""The audit log in Redis, for the one front at a time that extends it.

Which runs have events to record is written with the events themselves (`append_if.lua`), and
crossed out with the links (`record.lua`): nothing that was appended can be forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from bot.store.leadership import Leadership
from procedures.model.audit import Head, Published
from procedures.model.canonical import digest
from procedures.model.ids import RunId, read_run_id

_SCRIPT = files("bot.store").joinpath("record.lua").read_text()


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the log: how many links there are, and the last as it is stored.

    `follows` tells whether it goes on from a link that was seen before.
    """

    length: int
    last: bytes
    follows: bool = True

    @property
    def head(self) -> Head | None:
        """None while the log is empty."""
        return Head(self.length, digest(self.last)) if self.length else None


@dataclass(frozen=True, slots=True)
class Due:
    """A run's whole journal, of which so many events are in the log already."""

    run: RunId
    recorded: int
    stored: tuple[bytes, ...]


class AuditLog:
    """The log of one store. `front` is a name that no other front has."""

    def __init__(self, redis: Redis, front: str, *, lease_ms: int = 5_000) -> None:
        self._redis = redis
        self._script = redis.register_script(_SCRIPT)
        self._front = front
        self._lease_ms = lease_ms
        self._leadership = Leadership(redis, keys.AUDIT_WRITER, front, lease_ms)

    async def lead(self) -> bool:
        """Become, or stay, the front that extends the log. To be called within each lease."""
        return await self._leadership.lead()

    async def resign(self) -> None:
        """Let another front extend it at once."""
        await self._leadership.resign()

    async def tail(self, seen: Head | None = None) -> Tail:
        """Read the end, and whether the link that was `seen` is still where it was."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.llen(keys.AUDIT)
            pipe.lindex(keys.AUDIT, -1)
            pipe.lindex(keys.AUDIT, seen.index - 1 if seen else 0)
            async with translated():
                length, last, then = await pipe.execute()
        return Tail(length, last or b"", seen is None or digest(then or b"") == seen.hash)

    async def due(self, at_most: int) -> list[Due]:
        """Read runs with events to record, the ones that wait longest first."""
        async with translated():
            names: Any = await self._redis.zrange(keys.AUDIT_DUE, 0, at_most - 1)
            runs = [run for name in names if (run := _run(name)) is not None]
            if len(runs) < len(names):  # nothing of ours wrote that
                await self._redis.zrem(keys.AUDIT_DUE, *(n for n in names if _run(n) is None))
            if not runs:
                return []
            recorded: Any = await self._redis.hmget(keys.AUDIT_RECORDED, runs)
            async with self._redis.pipeline(transaction=False) as pipe:
                for run in runs:
                    pipe.lrange(keys.events(run), 0, -1)
                journals = await pipe.execute()
        return [
            Due(run, _number(count), tuple(stored))
            for run, count, stored in zip(runs, recorded, journals, strict=True)
        ]

    async def append(
        self, tail: Tail, due: Sequence[Due], links: Sequence[bytes], *, publish: bool
    ) -> bool:
        """Record what is due right after `tail`, and hold the lease.

        False, and nothing has changed, when another front has the lease or was faster.
        """
        names = (
            keys.AUDIT,
            keys.AUDIT_WRITER,
            keys.AUDIT_RECORDED,
            keys.AUDIT_DUE,
            keys.AUDIT_HEADS,
            *(keys.events(each.run) for each in due),
        )
        counts = [(each.run, each.recorded, max(each.recorded, len(each.stored))) for each in due]
        arguments = (
            self._front,
            self._lease_ms,
            tail.length,
            tail.last,
            "1" if publish else "",
            len(due),
            *(value for each in counts for value in each),
            *links,
        )
        async with translated():
            reply: Any = await self._script(keys=names, args=arguments)
        return bool(reply == b"done")

    async def published(self) -> Published:
        """What the store remembers of published heads."""
        async with translated():
            fields: Any = await self._redis.hgetall(keys.AUDIT_HEADS)
        head = b"%s:%s" % (fields.get(b"index", b""), fields.get(b"hash", b""))
        return Published(
            _head(head.decode(errors="replace")),
            _number(fields.get(b"at_ms")),
            _number(fields.get(b"wanted")),
        )

    async def remember(self, head: Head, at_ms: int) -> None:
        """Note that a head is published."""
        async with translated():
            await self._redis.hset(
                keys.AUDIT_HEADS,
                mapping={"index": head.index, "hash": head.hash, "at_ms": at_ms},
            )


def _run(name: bytes) -> RunId | None:
    text = name.decode(errors="replace")
    return RunId(text) if read_run_id(text) == text else None


def _head(text: str) -> Head | None:
    try:
        return Head.parse(text)
    except ValueError:
        return None


def _number(value: bytes | None) -> int:
    """A number as Redis has it; 0 where somebody wrote something else there."""
    return int(value) if value and value.isdigit() and len(value) < 18 else 0
