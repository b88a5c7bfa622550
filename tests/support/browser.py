"""A browser in front of a sandbox's page."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import ConsoleMessage, Page, async_playwright, expect

from tests.support.sandbox import Sandbox

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@pytest.fixture
def artifacts() -> Path:
    """Where screenshots are kept."""
    folder = Path(os.environ.get("QUORUMBOT_ARTIFACTS", ".artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture
async def page(sandbox: Sandbox) -> AsyncIterator[Page]:
    """The sandbox's page; the test fails if it complained about anything."""
    path = os.environ.get("QUORUMBOT_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("needs Chromium: `apt-get install chromium`, or set QUORUMBOT_CHROMIUM")
    complaints: list[str] = []

    def complain(entry: ConsoleMessage) -> None:
        if entry.type in ("error", "warning"):
            complaints.append(entry.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        page = await browser.new_page(locale="en-GB", timezone_id="UTC")
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", complain)
        await page.goto(sandbox.url)
        await expect(page.get_by_test_id("status")).to_have_text("ready")
        yield page
        await browser.close()
    assert not complaints
