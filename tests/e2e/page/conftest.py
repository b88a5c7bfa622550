"""A headless browser, a canned control server, and pages that must not complain."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.e2e.page.fake import FakeControl

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 8_000

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def chromium() -> str:
    path = os.environ.get("QUORUMBOT_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail(
            "The tests of the sandbox page need Chromium: `apt-get install chromium "
            "fonts-dejavu-core`, or set QUORUMBOT_CHROMIUM to its path."
        )
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def control() -> AsyncIterator[FakeControl]:
    fake = FakeControl()
    runner = web.AppRunner(fake.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    fake.url = f"http://{host}:{port}"
    yield fake
    fake.release.set()
    await fake.hang_up()
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, control: FakeControl) -> AsyncIterator[OpenPage]:
    """Open the page as somebody; the test fails if it logged an error or broke its CSP."""
    complaints: list[str] = []
    contexts = []

    def complain(entry: ConsoleMessage) -> None:
        # Chromium logs each failed request; those are what a test asked for.
        expected = ("Failed to load resource", "WebSocket connection")
        if entry.type in ("error", "warning") and not entry.text.startswith(expected):
            complaints.append(entry.text)

    async def open_as(
        user: str = "alice", *, width: int = 1280, height: int = 800, dark: bool = False
    ) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", complain)
        await page.goto(f"{control.url}/?user={user}&channel=ops")
        await (
            page.get_by_test_id("status")
            .get_by_text("ready", exact=True)
            .wait_for(state="attached")
        )
        return page

    yield open_as
    for context in contexts:
        await context.close()
    assert not complaints


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Where screenshots go."""
    folder = Path(os.environ.get("QUORUMBOT_ARTIFACTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
