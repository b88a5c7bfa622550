"""Running a tool to its end."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def environment() -> Mapping[str, str]:
    """Nothing of ours: what is called ETCD_… or ETCDCTL_… would be taken for flags."""
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    return {"ETCDCTL_API": "3", "PATH": os.defpath, **kept}


_NEEDED = ("PATH", "ETCD_UNSUPPORTED_ARCH")


async def run(
    argv: Sequence[str], limit_s: float, cwd: Path | None = None
) -> tuple[int | None, bytes, bytes]:
    """Run a program to its end: exit status (None: not within the limit), output and errors.

    It is killed when its asker goes; `dying` makes that also so when this process is killed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return 127, b"", (error.strerror or str(error)).encode()
    try:
        async with asyncio.timeout(limit_s):
            output, errors = await process.communicate()
    except TimeoutError:
        return None, b"", b""
    finally:
        await end(process)
    return process.returncode, output, errors


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill what still runs, with all that it has started, and make sure that it is gone."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def first_line(text: bytes) -> str:
    """The first line that says something, fit to be shown."""
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    first = next((line for line in lines if line), "it gave no reason").removeprefix("Error: ")
    return "".join(char for char in first[:200] if char.isprintable()).rstrip(".")
