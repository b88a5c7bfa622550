"""A front in HTTP mode, against the workspace's Web API or against one made up by the test."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from bot.http import listening
from bot.metrics import Metrics
from bot.sandbox.ports import free_ports
from bot.sandbox.workspace.server import Credentials, Server, SlashCommand
from bot.slack.front import Front
from bot.slack.http_mode import events_route
from bot.slack.workspace import introduce, make_client
from procedures.model.ids import ChannelId, ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Inventory, Platform
from tests.integration.front.harness import SECRET, Door, NotingControls, NotingGate

OPS = ChannelId("C0OPS")
INVENTORY = Inventory(
    {
        ClusterName("demo"): Cluster(
            name=ClusterName("demo"),
            platform=Platform.ETCD,
            site=Site("default"),
            endpoints={MemberName("demo-1"): "https://127.0.0.1:1"},
            tls=None,
            channels=(OPS,),
        )
    },
    channels=frozenset({OPS}),
)

MakeFront = Callable[[str, str], Awaitable[Front]]
Open = Callable[[str, str], Awaitable[Door]]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """slack-sdk would send even loopback traffic to a proxy."""
    for name in list(os.environ):
        if name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            monkeypatch.delenv(name)


@pytest.fixture
def gate() -> NotingGate:
    return NotingGate()


@pytest.fixture
def controls() -> NotingControls:
    return NotingControls()


@pytest.fixture
def credentials() -> Credentials:
    return Credentials.generate()


@pytest.fixture
async def workspace(credentials: Credentials) -> AsyncIterator[Server]:
    commands = [SlashCommand("/etcd", "etcd clusters", "health"), SlashCommand("/ops", "", "")]
    server = await Server.start(credentials=credentials, commands=commands)
    yield server
    await server.close()


@pytest.fixture
def make_front(gate: NotingGate, controls: NotingControls) -> MakeFront:
    """Makes a front that talks to a Web API with a token."""

    async def make(api_url: str, token: str) -> Front:
        client = make_client(token, api_url)
        return Front(
            client=client,
            me=await introduce(client),
            signing_secret=SECRET,
            inventory=INVENTORY,
            gate=gate,
            controls=controls,
            metrics=Metrics(),
        )

    return make


@pytest.fixture
async def open_door(make_front: MakeFront) -> AsyncIterator[Open]:
    """Makes a front and listens for Slack's requests to it."""
    async with AsyncExitStack() as stack:

        async def open_one(api_url: str, token: str) -> Door:
            front = await make_front(api_url, token)

            async def events(request: web.Request) -> web.StreamResponse:
                return await events_route(front.app, request)

            (port,) = free_ports(1)
            address = f"127.0.0.1:{port}"
            await stack.enter_async_context(listening(address, [web.post("/slack/events", events)]))
            return Door(f"http://{address}/slack/events")

        yield open_one


@pytest.fixture
async def door(open_door: Open, workspace: Server, credentials: Credentials) -> Door:
    """The front's Request URL; behind the front is the workspace."""
    return await open_door(f"{workspace.url}/api/", credentials.bot_token)
