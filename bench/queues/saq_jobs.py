"""saq, with its defaults: it blocks on a list."""

import contextlib
from collections.abc import AsyncIterator

from saq import Queue, Worker  # type: ignore[import-not-found]

from bench.queues.protocol import CONCURRENCY, Enqueue, mark, run


async def no_op(_context: object, *, number: int) -> None:
    mark(number)


@contextlib.asynccontextmanager
async def producer(url: str) -> AsyncIterator[Enqueue]:
    """A queue that nobody works on in this process."""
    queue = Queue.from_url(url)
    await queue.connect()
    yield lambda job: queue.enqueue("no_op", number=job)
    await queue.disconnect()


async def work(url: str) -> None:
    """One worker."""
    queue = Queue.from_url(url)
    await queue.connect()
    await Worker(queue, [no_op], concurrency=CONCURRENCY).start()


if __name__ == "__main__":
    run(producer, work)
