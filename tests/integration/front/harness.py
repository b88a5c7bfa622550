"""The front's Bolt application in this process, a workspace behind it, and a gate that notes."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.ports import Caller, Said
from bot.sandbox.workspace.delivery.signed_http import signature
from commands.grammar import Ask
from procedures.model.events import Requested
from procedures.model.ids import RunId

SECRET = "5d41402abc4b2a76b9719d911017c592"  # noqa: S105 - a test's own
UNEXPECTED = (
    "Not accepted: something went wrong inside Quorumbot, and its log says what. "
    "Nothing was started."
)


@dataclass(slots=True)
class NotingGate:
    """Accepts once per source, like the store; `fault` is raised instead."""

    fault: Exception | None = None
    asked: list[tuple[str, Requested]] = field(default_factory=list)

    async def accept(self, request: Requested, *, source: str) -> RunId:
        self.asked.append((source, request))
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return RunId(f"r-{source[-8:]}")

    @property
    def sources(self) -> set[str]:
        return {source for source, _ in self.asked}


@dataclass(slots=True)
class NotingControls:
    """Answers every command that needs no worker with the same words; `fault` is raised instead."""

    said: Said = field(default_factory=lambda: Said(("no run",), None))
    fault: Exception | None = None
    asked: list[tuple[Ask, Caller]] = field(default_factory=list)

    async def answer(self, wanted: Ask, caller: Caller) -> Said:
        self.asked.append((wanted, caller))
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return self.said


def slash(text: str = "health", **changes: str) -> bytes:
    """The body of a slash command as Slack posts it."""
    body = {
        "command": "/etcd",
        "text": text,
        "user_id": "U0ALICE",
        "user_name": "alice",
        "team_id": "T0SANDBOX",
        "channel_id": "C0OPS",
        "channel_name": "ops",
        "api_app_id": "A0QUORUMBOT",
        "trigger_id": "1.2.3",
        "response_url": "http://127.0.0.1:1/hooks/none",
    }
    return urlencode(body | changes).encode()


def signed(body: bytes, *, at: str | None = None, secret: str = SECRET) -> dict[str, str]:
    """Slack's headers for a body, by default signed now and with the right secret."""
    timestamp = str(int(time.time())) if at is None else at
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(secret, timestamp, body),
    }


@dataclass(frozen=True, slots=True)
class Reply:
    """What the front answered over HTTP."""

    status: int
    words: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Door:
    """The front's Request URL."""

    url: str

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        began = time.monotonic()
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.post(self.url, data=body, headers=headers) as answer,
        ):
            is_json = answer.content_type == "application/json"
            content: dict[str, Any] = await answer.json() if is_json else {}
            return Reply(answer.status, content.get("text"), time.monotonic() - began)

    async def ask(self, text: str = "health", **changes: str) -> Reply:
        """A command with a right signature."""
        body = slash(text, **changes)
        return await self.post(body, signed(body))
