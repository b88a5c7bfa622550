"""The whole product, started as a user starts it, and what a test does to it and reads from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.config import Config, load
from tests.support.processes import Processes
from tests.support.store import Store
from tests.support.waiting import eventually

Wire = dict[str, Any]

MEMBERS = ("demo-1", "demo-2", "demo-3")
ANSWER_S = 60.0
"""Within this time whatever was broken and mended has led to an answer."""

_RUN = re.compile(r"\brun (r-[0-9A-Z]+)")
_CALL = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True)
class Ack:
    """How a command was acknowledged; `words` are what its asker reads at once, if anything."""

    acked: bool
    ms: float
    words: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that shows a run."""

    ts: str
    text: str
    payload: Mapping[str, str]
    blocks: tuple[Wire, ...]

    @property
    def headline(self) -> str:
        return self.text.splitlines()[0]

    @property
    def final(self) -> bool:
        return self.payload["verdict"] != "checking"

    @property
    def run(self) -> str:
        """The run's id, as the message's small print has it."""
        found = _RUN.search(str(self.blocks))
        assert found, self.blocks
        return found[1]

    @property
    def table(self) -> list[list[str]]:
        """Its one table, the head first."""
        (block,) = [block for block in self.blocks if block["type"] == "table"]
        return [[cell["text"] for cell in row] for row in block["rows"]]


def _without_id(block: Wire) -> Wire:
    """A block without the id that Slack gives it anew at each edit."""
    return {key: value for key, value in block.items() if key != "block_id"}


@dataclass(frozen=True, slots=True)
class Status:
    """An answer of a process's status server."""

    code: int
    text: str


class Sandbox:
    """A running sandbox: its control API, its processes, its store."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url = url
        self.directory = directory
        self.processes = Processes(directory)

    @property
    def config_path(self) -> Path:
        return self.directory / "quorumbot.yaml"

    @property
    def config(self) -> Config:
        return load(self.config_path)

    def store(self) -> Store:
        return Store(self.config)

    async def state(self) -> Wire:
        found: Wire = await self._call("GET", "state")
        return found

    async def command(self, user: str, channel: str, text: str, command: str = "/etcd") -> Ack:
        """Type a slash command, and wait for its acknowledgement."""
        body = {"user": user, "channel": channel, "text": text, "command": command}
        answer = await self._call("POST", "command", body)
        response: Wire = answer["response"] or {}
        return Ack(answer["acked"], answer["ack_ms"], response.get("text"))

    async def accepted(self, text: str, user: str = "alice", channel: str = "ops") -> str:
        """Ask something that is queued without a word; returns the moment before, for `answers`."""
        since = await self.moment(channel)
        ack = await self.command(user, channel, text)
        assert ack == Ack(acked=True, ms=ack.ms, words=None), ack
        return since

    async def messages(self, channel: str, viewer: str | None = None) -> list[Wire]:
        """A channel as somebody sees it; without a viewer, what everybody sees."""
        query = {"channel": channel} | ({"viewer": viewer} if viewer else {})
        found: list[Wire] = await self._call("GET", "messages", query=query)
        return found

    async def moment(self, channel: str = "ops") -> str:
        """The `ts` of the last message that everybody sees."""
        messages = await self.messages(channel)
        return messages[-1]["ts"] if messages else "0"

    async def answers(self, since: str, channel: str = "ops") -> list[Answer]:
        """The messages that show runs and are newer than a moment."""
        return [
            Answer(
                message["ts"],
                message["text"],
                message["metadata"]["event_payload"],
                tuple(_without_id(block) for block in message["blocks"]),
            )
            for message in await self.messages(channel)
            if message["ts"] > since
            and message.get("metadata", {}).get("event_type") == "quorumbot_answer"
        ]

    async def wait_for_answer(
        self, since: str, channel: str = "ops", *, final: bool = True, seconds: float = ANSWER_S
    ) -> Answer:
        """The one answer after a moment; unless `final` is false, when it is complete."""
        (answer,) = await self.wait_for_answers(1, since, channel, final=final, seconds=seconds)
        return answer

    async def wait_for_answers(
        self,
        count: int,
        since: str,
        channel: str = "ops",
        *,
        final: bool = True,
        seconds: float = ANSWER_S,
    ) -> list[Answer]:
        """As `wait_for_answer`, for several; more of them than `count` fail the test."""
        found: list[Answer] = []

        async def there() -> bool:
            found[:] = await self.answers(since, channel)
            assert len(found) <= count, [(answer.ts, answer.headline) for answer in found]
            return len(found) == count and (not final or all(answer.final for answer in found))

        await eventually(there, seconds, f"{count} answers")
        return found

    async def calls(self, method: str, after: int = 0) -> list[Wire]:
        """The Web API calls of one method after number `after`."""
        query = {"since": str(after), "method": method}
        found: list[Wire] = await self._call("GET", "traffic", query=query)
        return found

    async def last_call(self) -> int:
        """The number of the last Web API call until now."""
        found: list[Wire] = await self._call("GET", "traffic")
        return found[-1]["n"] if found else 0

    async def cluster(self, member: str, do: str) -> None:
        """Stop, kill, start, freeze, thaw or wipe a member of the demo cluster."""
        await self._call("POST", "cluster", {"member": member, "do": do})

    async def fault(self, kind: str, **details: object) -> str:
        """Switch a fault of the workspace on; returns its id."""
        answer = await self._call("POST", "faults", {"kind": kind, **details})
        return str(answer["id"])

    async def clear_faults(self) -> None:
        for fault in (await self.state())["faults"]:
            await self._call("DELETE", f"faults/{fault['id']}")

    async def scopes(self) -> list[str]:
        """What the bot token may do."""
        granted: list[str] = (await self._call("POST", "app", {"request_url": None}))["scopes"]
        return granted

    async def grant(self, *scopes: str) -> None:
        await self._call("POST", "app", {"scopes": list(scopes)})

    async def status(self, part: str, page: str) -> Status:
        """A page (`readyz`, `metrics`) of the `front` or the `worker`; 0 when nobody answers."""
        url = (await self.state())["endpoints"][part]
        try:
            async with (
                aiohttp.ClientSession(timeout=_CALL) as session,
                session.get(f"{url}/{page}") as answer,
            ):
                return Status(answer.status, await answer.text())
        except aiohttp.ClientError as error:
            return Status(0, str(error))

    async def is_ready(self) -> bool:
        """Whether front and worker say that they are."""
        return all(
            [(await self.status(part, "readyz")).code == 200 for part in ("front", "worker")]
        )

    async def counted(self, part: str, sample: str) -> float:
        """One sample of the metrics of a process, 0 when it has none of that name."""
        for line in (await self.status(part, "metrics")).text.splitlines():
            if line.startswith(sample):
                return float(line.rpartition(" ")[2])
        return 0.0

    async def _call(
        self, verb: str, path: str, body: Wire | None = None, query: dict[str, str] | None = None
    ) -> Any:  # noqa: ANN401 - object or list
        async with (
            aiohttp.ClientSession(timeout=_CALL) as session,
            session.request(verb, f"{self.url}/control/{path}", json=body, params=query) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()
