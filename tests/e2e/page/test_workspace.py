"""The page against the workspace's own server, with a small app in the place of the bot."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.app import SlashCommand
from bot.sandbox.workspace.credentials import Credentials
from bot.sandbox.workspace.server import Server
from tests.e2e.page.samples import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

COMMANDS = [SlashCommand("/etcd", "Health and members", "health | members")]
QUESTION: list[Wire] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "*Remove member demo-3 from demo?*"}},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "run.approve",
                "value": "q-1",
                "text": {"type": "plain_text", "text": "Approve"},
            }
        ],
    },
]


async def answer(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
    """Ask a question on any command; replace it with who pressed its button."""
    web, payload = client.web_client, request.payload
    assert isinstance(web, AsyncWebClient)
    private = {"response_type": "ephemeral", "text": "Asked."} if payload.get("command") else None
    await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, private))
    if request.type == "slash_commands":
        words = f"Waiting for approval: {payload['text']}"
        channel = payload["channel_id"]
        posted = await web.chat_postMessage(channel=channel, text=words, blocks=QUESTION)
        await web.chat_postMessage(channel=channel, text="the plan", thread_ts=str(posted["ts"]))
    elif request.type == "interactive":
        who = payload["user"]["id"]
        await web.chat_update(
            channel=payload["channel"]["id"],
            ts=payload["message"]["ts"],
            text=f"Running: approved by <@{who}>",
        )


@pytest_asyncio.fixture(loop_scope="session")
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(variable, raising=False)
    credentials = Credentials.generate()
    server = await Server.start(credentials=credentials, commands=COMMANDS)
    web = AsyncWebClient(credentials.bot_token, base_url=f"{server.url}/api/")
    client = SocketModeClient(app_token=credentials.app_token, web_client=web)
    client.socket_mode_request_listeners.append(answer)
    await client.connect()  # type: ignore[no-untyped-call] # bare in slack-sdk
    server.set_ready(True)
    yield server
    with suppress(ConnectionError):
        await client.close()  # type: ignore[no-untyped-call] # bare in slack-sdk
    await server.close()


async def test_ask_as_alice_approve_as_bob(server: Server, browser: Browser) -> None:
    """A command, its acknowledgement, the message, its thread, and a click by somebody else."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page = await context.new_page()
    page.on("console", lambda e: complaints.append(e.text) if e.type == "error" else None)
    await page.goto(server.url)
    await expect(page.get_by_test_id("status")).to_have_text("ready")
    await page.get_by_test_id("composer").fill("/e")
    await page.keyboard.press("Tab")
    await page.keyboard.type("member remove demo-3")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("ephemeral")).to_contain_text("Asked.")
    await expect(page.get_by_text("Remove member demo-3 from demo?")).to_be_visible()
    await page.get_by_test_id("thread-open").click()
    await expect(page.get_by_test_id("thread-pane")).to_contain_text("the plan")
    await page.keyboard.press("Escape")

    await page.get_by_test_id("user-switcher").click()
    await page.get_by_test_id("user-bob").click()
    await expect(page.get_by_test_id("ephemeral")).to_have_count(0)
    await page.get_by_test_id("button-run.approve").click()
    await expect(page.get_by_test_id("message")).to_contain_text("Running: approved by @bob")

    await page.get_by_test_id("traffic-toggle").click()
    await expect(page.get_by_test_id("traffic-pane")).to_contain_text("chat.update")
    await page.get_by_test_id("drawer-toggle").click()
    await page.get_by_test_id("fault-kind").select_option("slow")
    await page.get_by_test_id("fault-add").click()
    await expect(page.get_by_test_id("fault")).to_contain_text("Slow answers")
    await page.get_by_test_id("fault").get_by_role("button").click()
    await expect(page.get_by_test_id("fault")).to_have_count(0)
    await page.get_by_test_id("clock-900").click()
    await expect(page.get_by_text("15 minutes ahead")).to_be_visible()
    await context.close()
    assert complaints == []
