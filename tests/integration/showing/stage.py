"""Runs written by hand into a real Redis, a projector, and the workspace in which it shows them."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from bot.metrics import Metrics
from bot.sandbox.workspace.server import Credentials, Server
from bot.slack.projector import Projector
from bot.store import keys
from bot.store.feed import Feed
from bot.store.runs import Runs
from procedures.model.events import Began, Event
from procedures.model.ids import ChannelId, ClusterName, MemberName, RunId, Site
from procedures.model.inventory import Approvers, Cluster, Inventory, Platform
from procedures.model.run import Run, fold
from tests.integration.showing.clients import Client
from tests.integration.workspace.harness import Control
from tests.support.by_hand import ByHand
from tests.support.plans import a_change
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

Wire = dict[str, Any]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


SITE = Site("default")
OPS, ALERTS = ChannelId("C0OPS"), ChannelId("C0ETCDALERTS")
INVENTORY = Inventory(
    {
        ClusterName("demo"): Cluster(
            name=ClusterName("demo"),
            platform=Platform.ETCD,
            site=SITE,
            endpoints={MemberName("demo-1"): "https://127.0.0.1:1"},
            tls=None,
            channels=(OPS,),
            incident_channel=ALERTS,
            approvers=Approvers(group="S0APPROVERS"),
        )
    },
    channels=frozenset({OPS, ALERTS}),
)


@dataclass
class Stage:
    """What a test does to runs, and what it finds in Slack."""

    redis: Redis
    server: Server
    credentials: Credentials
    control: Control
    ahead_ms: int = 0
    fronts: int = 0

    @property
    def hands(self) -> ByHand:
        runs = (Runs(self.redis, signer, KEYRING) for signer in (FRONT, WORKER))
        return ByHand(self.redis, *runs)

    def client(self) -> Client:
        client = Client(token=self.credentials.bot_token, retry_handlers=[])
        client.base_url = f"{self.server.url}/api/"
        return client

    @asynccontextmanager
    async def showing(self, client: Client | None = None) -> AsyncIterator[None]:
        """A front for as long as the context lasts."""
        task = asyncio.create_task(self.projector(client).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def killed_after(self, calls: int) -> None:
        """A front that ends right after so many calls of Slack's, or when all is shown."""
        client = self.client()
        client.calls_to_live = calls
        front = asyncio.create_task(self.projector(client).run())
        done = asyncio.create_task(self.settled())
        await asyncio.wait([front, done], return_when=asyncio.FIRST_COMPLETED)
        for task in (front, done):
            task.cancel()
        await asyncio.gather(front, done, return_exceptions=True)
        await self.redis.delete(keys.PROJECTOR)

    def projector(self, client: Client | None = None) -> Projector:
        self.fronts += 1
        runs = self.hands.front

        class Reader:
            async def run(self, run: RunId) -> Run | None:
                return fold((await runs.read(run)).entries)

        return Projector(
            client=client or self.client(),
            feed=Feed(self.redis, f"front-{self.fronts}", [SITE], lease_ms=1_500),
            runs=Reader(),
            output=runs,
            inventory=INVENTORY,
            metrics=Metrics(),
            now_ms=lambda: now_ms() + self.ahead_ms,
        )

    async def asked(self, source: str = "1", channel: ChannelId | None = OPS) -> RunId:
        return await self.hands.asked(replace(a_change(), channel=channel), source)

    async def took_up(self) -> RunId:
        """A run in the hands of a worker."""
        name = await self.asked()
        await self.write(name, Began("w"))
        return name

    async def write(self, name: RunId, *events: Event, says: Sequence[str] = ()) -> None:
        """What a worker and a front write down, and then what a step says."""
        await self.hands.write(name, *events)
        if says:
            await self.hands.say(name, says)

    async def messages(self, event_type: str, channel: str = "ops") -> list[Wire]:
        """The top-level messages with this metadata."""
        return [
            message
            for message in await self.control.messages(channel)
            if message.get("metadata", {}).get("event_type") == event_type
        ]

    async def main(self, state: str = "", *, seconds: float = 15) -> Wire:
        """The one message of the one run, as soon as it begins with a state."""
        found: list[Wire] = []

        async def there() -> bool:
            found[:] = await self.messages("quorumbot_run")
            assert len(found) <= 1, [message["text"] for message in found]
            return bool(found) and found[0]["text"].startswith(state)

        await eventually(there, seconds, f"a message that begins with {state!r}")
        return found[0]

    async def incident(self, state: str) -> Wire:
        """The one message in the incident channel, as soon as the run is in this state there."""
        found: list[Wire] = []

        async def there() -> bool:
            found[:] = await self.messages("quorumbot_incident", "etcd-alerts")
            assert len(found) <= 1
            payloads = [message["metadata"]["event_payload"] for message in found]
            return bool(payloads) and payloads[0]["state"] == state

        await eventually(there, 15, f"an incident message of a run that is {state}")
        return found[0]

    async def thread(self, root: Wire) -> list[Wire]:
        """What was said below a message."""
        replies = await self.control.messages("ops", thread_ts=root["ts"])
        return [reply for reply in replies if reply["ts"] != root["ts"]]

    async def said(self, root: Wire, words: str) -> list[Wire]:
        return [reply for reply in await self.thread(root) if words in reply["text"]]

    async def until_said(self, root: Wire, words: str) -> list[Wire]:
        """As `said`, when there is something."""
        found: list[Wire] = []

        async def there() -> bool:
            found[:] = await self.said(root, words)
            return bool(found)

        await eventually(there, 15, f"{words!r} in the thread")
        return found

    async def settled(self, seconds: float = 20) -> None:
        """Wait until every change is shown."""

        async def nothing_pending() -> bool:
            if not await self.redis.exists(keys.FEED):
                return True
            groups = await self.redis.xinfo_groups(keys.FEED)
            stream = await self.redis.xinfo_stream(keys.FEED)
            return all(
                not group["pending"] and group["last-delivered-id"] == stream["last-generated-id"]
                for group in groups
            ) and bool(groups)

        await eventually(nothing_pending, seconds, "all changes are shown")

    async def files(self) -> list[tuple[Wire, str]]:
        """The files that are shared, each with its content."""
        found = []
        for file in await self.control.get_list("files"):
            async with self.control.session.get(file["content_url"]) as answer:
                found.append((file, await answer.text()))
        return found

    async def calls(self, method: str) -> list[Wire]:
        return await self.control.get_list("traffic", method=method)
