"""A sandbox of our own, and its workspace as a user sees it."""

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.ports import free_ports
from tests.support.sandboxes import REAL, sandbox


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame of the live feed, and when it came, on `time.perf_counter`."""

    at: float
    body: dict[str, Any]


class Workspace:
    """The control API of a running sandbox; `directory` holds its state."""

    def __init__(self, session: aiohttp.ClientSession, directory: Path) -> None:
        self._session = session
        self.directory = directory

    async def command(self, user: str, text: str, command: str = "/etcd") -> dict[str, Any]:
        """Type a slash command in #ops."""
        body = {"user": user, "channel": "ops", "command": command, "text": text}
        return await self._post("/control/command", body)

    async def cluster(self, member: str, do: str) -> None:
        """Act on a member of the demo cluster."""
        await self._post("/control/cluster", {"member": member, "do": do})

    async def messages(self, viewer: str) -> list[dict[str, Any]]:
        """What `viewer` sees in #ops."""
        query = {"channel": "ops", "viewer": viewer}
        async with self._session.get("/control/messages", params=query) as response:
            found: list[dict[str, Any]] = await response.json()
        return found

    @contextlib.asynccontextmanager
    async def live(self, viewer: str) -> AsyncIterator[asyncio.Queue[Seen]]:
        """Watch the feed; each frame is put into the queue with the time of its arrival."""
        seen: asyncio.Queue[Seen] = asyncio.Queue()

        async def read(socket: aiohttp.ClientWebSocketResponse) -> None:
            async for message in socket:
                at = time.perf_counter()
                seen.put_nowait(Seen(at, json.loads(message.data)))

        async with self._session.ws_connect("/control/live", params={"viewer": viewer}) as socket:
            reader = asyncio.create_task(read(socket))
            try:
                async with asyncio.timeout(10):
                    await seen.get()  # the hello: from now on nothing is missed
                yield seen
            finally:
                reader.cancel()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._session.post(path, json=body) as response:
            answer: dict[str, Any] = await response.json()
        return answer


@contextlib.asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    """Start a sandbox in a temporary directory; all of it is gone with the context."""
    with tempfile.TemporaryDirectory(prefix="quorumbot-bench-") as temporary:
        directory = Path(temporary) / "state"
        (port,) = free_ports(1)
        options = ("--port", str(port), "--dir", str(directory))
        async with sandbox(Path(temporary), *options, command=REAL) as process:
            await process.ready()
            session = aiohttp.ClientSession(
                process.url,
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=60),
                raise_for_status=True,
            )
            async with session:
                yield Workspace(session, directory)
