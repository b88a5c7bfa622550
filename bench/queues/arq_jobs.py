"""arq, with its defaults: it polls twice a second."""

import contextlib
from collections.abc import AsyncIterator

from arq.connections import RedisSettings, create_pool  # type: ignore[import-not-found]
from arq.worker import Worker  # type: ignore[import-not-found]

from bench.queues.protocol import CONCURRENCY, Enqueue, mark, run


async def no_op(_context: object, job: int) -> None:
    mark(job)


@contextlib.asynccontextmanager
async def producer(url: str) -> AsyncIterator[Enqueue]:
    """A pool of connections."""
    pool = await create_pool(RedisSettings.from_dsn(url))
    yield lambda job: pool.enqueue_job("no_op", job)
    await pool.aclose()


async def work(url: str) -> None:
    """One worker."""
    settings = RedisSettings.from_dsn(url)
    worker = Worker([no_op], redis_settings=settings, max_jobs=CONCURRENCY)
    await worker.async_run()


if __name__ == "__main__":
    run(producer, work)
