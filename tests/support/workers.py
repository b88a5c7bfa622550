"""Further workers beside those that a sandbox keeps."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.sandbox.processes import Child


@asynccontextmanager
async def a_worker(config: Path, log: Path) -> AsyncIterator[Child]:
    """`quorumbot worker` for as long as the context lasts; SIGTERM ends it with status 0."""
    argv = [sys.executable, "-m", "bot.main", "worker", "--config", str(config)]
    child = Child.start("worker", argv, log=log)
    try:
        yield child
    finally:
        assert await child.stop(10) == 0, child.last_lines(20)
