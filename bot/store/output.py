"""A run's output: numbered lines in batches, the head and the tail of it, never all of too much.

Batches are written under the run's lease, together with its events. The first 32 MiB are kept,
and of what comes later the last 32 MiB; the numbers tell how much is missing in between.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from procedures.model.ids import RunId

HALF_BYTES = 32 * 1024**2
"""How much of a run's output is kept at its beginning, and how much at its end."""

BATCH_BYTES = 256 * 1024
"""The most that one batch holds, but for a single longer line."""


_READ_AT_ONCE = 16
"""So many batches are read in one call: Redis and the reader have others to serve."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of output, with its number in the run, from 0, and the step that it belongs to."""

    seq: int
    step: int
    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines as they are stored: into which list, and how many old batches go for them.

    `reached` says how far the output of pieces of work on hosts is stored with it, by `host/key`.
    """

    part: Literal["head", "tail"]
    packed: bytes
    drop: int = 0
    reached: Mapping[str, int] = field(default_factory=dict)


class Shelf:
    """Decides where a run's next lines go; a worker has one for each run in hand."""

    def __init__(
        self,
        next_seq: int,
        head_bytes: int,
        tail: Sequence[int],
        reached: Mapping[str, int] | None = None,
    ) -> None:
        self._next_seq = next_seq
        self._head_bytes = head_bytes
        self._tail = list(tail)
        self._reached = dict(reached or {})

    def reached(self, piece: str) -> int:
        """How far the output of a piece of work is stored."""
        return self._reached.get(piece, 0)

    def is_stored(self, batch: Batch) -> None:
        """Take note that a batch is stored for good."""
        self._reached |= batch.reached

    def number(self, step: int, at_ms: int, text: str) -> Line:
        """Give a line its number."""
        line = Line(self._next_seq, step, at_ms, text)
        self._next_seq += 1
        return line

    def batch(self, lines: Sequence[Line], reached: Mapping[str, int] | None = None) -> Batch:
        """Make a batch of lines; what is dropped for it has fallen out for good."""
        reached = dict(reached or {})
        packed = json.dumps(
            [[line.seq, line.step, line.at_ms, line.text] for line in lines], ensure_ascii=False
        ).encode()
        if not self._tail and self._head_bytes + len(packed) <= HALF_BYTES:
            self._head_bytes += len(packed)
            return Batch("head", packed, reached=reached)
        self._tail.append(len(packed))
        drop = 0
        while sum(self._tail) > HALF_BYTES and len(self._tail) > 1:
            self._tail.pop(0)
            drop += 1
        return Batch("tail", packed, drop, reached)


async def open_shelf(redis: Redis, run: RunId) -> Shelf:
    """Go on where the worker before has stopped."""
    async with translated():
        head: Any = await redis.lrange(keys.output(run, "head"), 0, -1)
        tail: Any = await redis.lrange(keys.output(run, "tail"), 0, -1)
        reached: Any = await redis.hgetall(keys.reached(run))
    next_seq = _after([*head[-1:], *tail[-1:]])
    return Shelf(
        next_seq,
        sum(map(len, head)),
        [len(packed) for packed in tail],
        {piece.decode(): int(place) for piece, place in reached.items() if place.isdigit()},
    )


async def read_output(redis: Redis, run: RunId, first: int = 0) -> tuple[Line, ...]:
    """All lines that are kept, from a number on, in order; gaps in the numbers are what is not.

    A negative number counts from the end. It reads from the end back to that line, so that what
    is new costs no more than it is long.
    """
    if first < 0:
        first = max(0, await _next_seq(redis, run) + first)
    tail = await _read_back(redis, keys.output(run, "tail"), first)
    head: list[list[Any]] = []
    if not tail or tail[0][0][0] > first:
        head = await _read_back(redis, keys.output(run, "head"), first)
    if len(head) + len(tail) <= _READ_AT_ONCE:
        return _lines((*head, *tail), first)
    return await asyncio.to_thread(_lines, (*head, *tail), first)


def _lines(batches: Iterable[list[Any]], first: int) -> tuple[Line, ...]:
    lines: list[Line] = []
    for batch in batches:
        for fields in batch:
            line = Line(*fields)
            if line.seq >= first:  # a batch whose reply was lost may be there twice
                lines.append(line)
                first = line.seq + 1
    return tuple(lines)


async def _read_back(redis: Redis, key: str, first: int) -> list[list[Any]]:
    """The last batches of a list, as many as it takes to begin at or before a line."""
    batches: list[list[Any]] = []
    count = 1
    while not batches or batches[0][0][0] > first:
        end = -len(batches) - 1
        async with translated():
            packed: Any = await redis.lrange(key, end - count + 1, end)
        if not packed:
            break
        batches[:0] = [json.loads(each) for each in packed]
        count = min(4 * count, _READ_AT_ONCE)
    return batches


async def _next_seq(redis: Redis, run: RunId) -> int:
    async with translated():
        head: Any = await redis.lrange(keys.output(run, "head"), -1, -1)
        tail: Any = await redis.lrange(keys.output(run, "tail"), -1, -1)
    return _after([*head, *tail])


def _after(last: Sequence[bytes]) -> int:
    """The number after the last line of the last batch."""
    return json.loads(last[-1])[-1][0] + 1 if last else 0
