"""`quorumbot` as people run it in a terminal."""

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.processes import environment


@dataclass(frozen=True, slots=True)
class Output:
    """What a command printed, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - object or list
        return json.loads(self.out)


async def quorumbot(
    *args: str | Path, seconds: float = 60, env: Mapping[str, str] | None = None
) -> Output:
    """Run one command to its end; the test fails when that takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.main",
        *map(str, args),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment() | dict(env or {}),
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        raise AssertionError(f"quorumbot {args} took longer than {seconds:g} s") from None
    assert process.returncode is not None
    return Output(process.returncode, out.decode(), err.decode())
