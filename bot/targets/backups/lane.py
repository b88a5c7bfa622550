"""Blocking work off the event loop."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_CLOSE_S = 5.0


class Lane:
    """One thread that works in order, so that a clean-up comes after what it cleans up after.

    Work that has begun goes on when its asker is cancelled; long work looks at `stopping`, which
    is set as soon as the lane is left.
    """

    def __init__(self, clean_up: Callable[[], None]) -> None:
        """`clean_up` is done last, whatever happens; it does not raise."""
        self.stopping = threading.Event()
        self._clean_up = clean_up
        self._pool = ThreadPoolExecutor(1, "backup")

    async def __aenter__(self) -> Self:
        """Open for work."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Clean up; wait for it a few seconds, unless the work before it hangs."""
        self.stopping.set()
        last = self.begin(self._clean_up)
        self._pool.shutdown(wait=False)
        await asyncio.wait([last], timeout=_CLOSE_S)

    def begin(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Put work in line, and give its result later."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._pool, lambda: work(*args, **kwargs))

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Put work in line, and wait for its result."""
        return await self.begin(work, *args, **kwargs)


async def in_thread(work: Callable[[threading.Event], T]) -> T:
    """Do blocking work. It is given an event that is set when its asker has gone."""
    gone = threading.Event()
    try:
        return await asyncio.to_thread(work, gone)
    finally:
        gone.set()


async def stepwise(
    begin: Callable[[], Generator[bytes, None, None]],
) -> AsyncGenerator[bytes, None]:
    """Read blocks in a thread, one for each that is taken; what is open is closed at the end."""
    opened: list[Generator[bytes, None, None]] = []

    def step() -> bytes | None:
        if not opened:
            opened.append(begin())
        return next(opened[0], None)

    def close() -> None:
        for blocks in opened:
            blocks.close()

    async with Lane(close) as lane:
        while (block := await lane.do(step)) is not None:
            yield block
