"""Keeps processes running: one that ends is started again."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.files import StateFiles
from bot.sandbox.processes import Child, environment

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0
_SOON = 3.0
"""A process that ended this many seconds after its start did not really run."""
_GRACE = 3.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A process to keep running; its name is that of its log and of its pid file."""

    name: str
    argv: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=environment)


@contextlib.asynccontextmanager
async def keeping(
    files: StateFiles, say: Callable[[str], None], *processes: Kept
) -> AsyncIterator[None]:
    """Run `processes` for as long as the context lasts, and leave none behind.

    One that ends is started again within a second, and when it ends again and again soon after
    its start, after at most five; `say` gets a line about each end.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_keep(files, say, process)) for process in processes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _keep(files: StateFiles, say: Callable[[str], None], process: Kept) -> None:
    clock = asyncio.get_running_loop().time
    delay = _FIRST_DELAY
    while True:
        started = clock()
        child = Child.start(
            process.name,
            process.argv,
            log=files.log(process.name),
            env=process.env,
            cwd=process.cwd,
        )
        try:
            files.write_pid(process.name, child.pid)
            code = await child.wait()
        finally:
            await child.stop(_GRACE)
            files.write_pid(process.name, None)
        if clock() - started > _SOON:
            delay = _FIRST_DELAY
        say(f"{process.name} ended ({_how(code)}) and is started again; its log is {child.log}")
        await asyncio.sleep(delay)
        delay = min(2 * delay, _LONGEST_DELAY)


def _how(code: int) -> str:
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name
