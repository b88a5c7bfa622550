"""Waiting for what another process does, with an end."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]], seconds: float = 20, what: str = ""
) -> None:
    """Wait until `condition()` holds; fails the test with `what` after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                result = condition()
                if await result if inspect.isawaitable(result) else result:
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what or condition}") from None


def alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
