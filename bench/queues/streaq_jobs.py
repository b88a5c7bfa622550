"""streaq, with its defaults: Redis Streams with consumer groups."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from streaq import Worker  # type: ignore[import-not-found]

from bench.queues.protocol import CONCURRENCY, Enqueue, mark, run


def worker_of(url: str) -> tuple[Any, Any]:
    """A worker, which is a producer's connection too, and its only task."""
    worker = Worker(redis_url=url, concurrency=CONCURRENCY)

    async def no_op(job: int) -> None:
        mark(job)

    return worker, worker.task(no_op)


@contextlib.asynccontextmanager
async def producer(url: str) -> AsyncIterator[Enqueue]:
    """A worker that is not run."""
    worker, no_op = worker_of(url)

    async def enqueue(job: int) -> None:
        await no_op.enqueue(job)

    async with worker:
        yield enqueue


async def work(url: str) -> None:
    """One worker."""
    worker, _ = worker_of(url)
    await worker.run_async()


if __name__ == "__main__":
    run(producer, work)
