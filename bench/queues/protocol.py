"""What every queue under test does alike. Only the standard library: it runs in each one's venv.

An adapter is run as a module from the checkout, with Redis's URL in `BENCH_REDIS`:
`enqueue FIRST COUNT GAP_MS`: puts jobs into the queue, and writes the time before each;
`work`: one worker process, until SIGTERM; each job writes the time of its start.
Both append lines of `JOB TIME_NS` to the file in `BENCH_TIMES`.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

CONCURRENCY = 8
"""Jobs in hand at once, in each worker."""

Enqueue: TypeAlias = Callable[[int], Awaitable[object]]
Producer: TypeAlias = Callable[[str], AbstractAsyncContextManager[Enqueue]]

_AT_ONCE = 16


def run(producer: Producer, work: Callable[[str], Awaitable[None]]) -> None:
    """Do what the command line says."""
    redis = os.environ["BENCH_REDIS"]
    match sys.argv[1:]:
        case ["work"]:
            asyncio.run(_awaited(work(redis)))
        case ["enqueue", first, count, gap_ms]:
            asyncio.run(_produce(producer(redis), int(first), int(count), float(gap_ms) / 1_000))
        case _:
            sys.exit(__doc__)


def mark(job: int) -> None:
    """Write down that a job starts now, or is about to be enqueued."""
    os.write(_times(), f"{job} {time.time_ns()}\n".encode())


_opened: list[int] = []


def _times() -> int:
    if not _opened:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        _opened.append(os.open(os.environ["BENCH_TIMES"], flags, 0o600))
    return _opened[0]


async def _awaited(work: Awaitable[None]) -> None:
    await work


async def _produce(
    producer: AbstractAsyncContextManager[Enqueue], first: int, count: int, gap_s: float
) -> None:
    """One each `gap_s`; without a gap as fast as it goes."""
    async with producer as enqueue:
        if not gap_s:
            for batch in range(first, first + count, _AT_ONCE):
                jobs = range(batch, min(batch + _AT_ONCE, first + count))
                await asyncio.gather(*(enqueue(job) for job in jobs))
            return
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(began + number * gap_s - time.perf_counter())
            mark(first + number)
            await enqueue(first + number)
