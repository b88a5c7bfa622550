"""Whether all that the sandbox started can be used."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import aiohttp

from bot.sandbox.errors import SandboxError

_POLL = 0.1
_WATCH = 1.0
_ANSWER_SECONDS = 2.0


class Workspace(Protocol):
    """The part of the workspace's server that readiness is about."""

    @property
    def socket_connections(self) -> int: ...

    def set_ready(self, ready: bool) -> None: ...  # noqa: FBT001 - the server says it


class Readiness:
    """Asks `/readyz` of the bot's processes, given as `{name: base URL}`, and the workspace."""

    def __init__(
        self, workspace: Workspace, endpoints: Mapping[str, str], *, needs_socket: bool
    ) -> None:
        self._workspace = workspace
        self._endpoints = endpoints
        self._needs_socket = needs_socket

    async def wait(self, seconds: float) -> None:
        """Wait until everything answers; SandboxError says what does not after `seconds`."""
        faults: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if not (faults := await self.faults()):
                        break
                    await asyncio.sleep(_POLL)
        except TimeoutError:
            raise SandboxError(f"not ready after {seconds:g} s: {'; '.join(faults)}") from None
        self._workspace.set_ready(True)

    async def watch(self) -> None:
        """Keep the workspace's idea of it true, for ever."""
        while True:
            await asyncio.sleep(_WATCH)
            self._workspace.set_ready(not await self.faults())

    async def faults(self) -> list[str]:
        """What is not ready, and why as far as it is known."""
        limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(timeout=limit, connector=connector) as session:
            answers = await asyncio.gather(
                *(_fault(session, name, url) for name, url in self._endpoints.items())
            )
        found = [answer for answer in answers if answer]
        if self._needs_socket and not self._workspace.socket_connections:
            found.append("the workspace has no Socket Mode connection")
        return found


async def _fault(session: aiohttp.ClientSession, name: str, url: str) -> str | None:
    try:
        async with session.get(f"{url}/readyz") as answer:
            if answer.status == 200:
                return None
            said = " ".join((await answer.text()).split())[:200]
            return f"{name} says: {said or answer.status}"
    except (aiohttp.ClientError, TimeoutError):
        return f"{name} does not answer"
