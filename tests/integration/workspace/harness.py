"""What the tests of the workspace share: the control API's client and a demo cluster's stand-in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

from bot.sandbox.workspace.server import SlashCommand

Connect = Callable[[], Awaitable[AsyncSocketModeHandler]]

COMMANDS = (
    SlashCommand("/etcd", "etcd clusters", "health [cluster]"),
    SlashCommand("/ops", "runs and approvals", "runs"),
)


class Cluster:
    """A demo cluster that only notes what it is asked to do."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def act(self, member: str, do: str) -> None:
        if member != "demo-1":
            raise KeyError(f"no member {member}; there is demo-1")
        if do != "stop":
            raise ValueError(f"cannot {do}; can stop")
        self.asked.append((member, do))


@dataclass(frozen=True, slots=True)
class Control:
    """The control API."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        found: dict[str, Any] = await self._get(path, query)
        return found

    async def get_list(self, path: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._get(path, query)
        return found

    async def _get(self, path: str, query: dict[str, str]) -> Any:  # noqa: ANN401 - object or list
        async with self.session.get(f"{self.url}/control/{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        async with self.session.post(f"{self.url}/control/{path}", json=body) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def refused(self, path: str, **body: object) -> str:
        """Return the words with which a request is refused."""
        async with self.session.post(f"{self.url}/control/{path}", json=body) as response:
            assert response.status == 400
            words: str = (await response.json())["error"]
            return words

    async def end_fault(self, fault_id: str) -> None:
        async with self.session.delete(f"{self.url}/control/faults/{fault_id}") as response:
            assert response.status == 200

    async def messages(self, channel: str = "ops", **query: str) -> list[dict[str, Any]]:
        return await self.get_list("messages", channel=channel, **query)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition; TimeoutError when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is awaited sets no event
            await asyncio.sleep(0.01)
