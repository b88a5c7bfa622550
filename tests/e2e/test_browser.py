"""A person with a browser and a keyboard, in front of the whole product."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, Page, async_playwright, expect

from tests.support.sandbox import Sandbox

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ANSWER_MS = 30_000


@pytest.fixture
def artifacts() -> Path:
    """Where screenshots are kept."""
    folder = Path(os.environ.get("QUORUMBOT_ARTIFACTS", ".artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
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


async def test_a_person_asks_and_reads(page: Page, sandbox: Sandbox, artifacts: Path) -> None:
    """A typed slash brings the hint; Enter asks; the answer appears and becomes complete."""
    await expect(page.get_by_test_id("banner")).to_contain_text("This is not Slack.")
    since = await sandbox.moment()
    composer = page.get_by_test_id("composer")
    await composer.focus()
    await page.keyboard.type("/et")
    await expect(page.get_by_test_id("hint").first).to_contain_text("/etcd")
    await page.keyboard.press("Tab")
    await expect(composer).to_have_value("/etcd ")
    await page.keyboard.type("health")
    await page.keyboard.press("Enter")

    message = page.get_by_test_id("message").last
    await expect(message).to_contain_text("demo: checking", timeout=ANSWER_MS)
    await expect(message).to_contain_text("demo: healthy, 3 of 3 members", timeout=ANSWER_MS)
    await expect(message).to_contain_text("Safe now:")
    table = message.get_by_role("table")
    await expect(table.get_by_role("row")).to_have_count(4)
    for member in ("demo-1", "demo-2", "demo-3"):
        await expect(table).to_contain_text(member)
    assert len(await sandbox.answers(since)) == 1
    await page.screenshot(path=artifacts / "health.png")


async def test_a_guest_is_refused_in_private(page: Page, sandbox: Sandbox, artifacts: Path) -> None:
    """The refusal is on the guest's screen only; back as alice, it is gone."""
    words = "Your account is a single-channel guest."
    refusal = page.get_by_test_id("ephemeral").filter(has_text=words)
    shown = await sandbox.messages("ops")

    async def become(handle: str) -> None:
        await page.get_by_test_id("user-switcher").click()
        await page.get_by_test_id(f"user-{handle}").click()
        await expect(page.get_by_test_id("user-switcher")).to_contain_text(handle)

    await become("guest")
    seen = await refusal.count()
    await page.get_by_test_id("composer").focus()
    await page.keyboard.type("/etcd health")
    await page.keyboard.press("Enter")
    await expect(refusal).to_have_count(seen + 1)
    await page.screenshot(path=artifacts / "guest.png")
    await become("alice")
    await expect(refusal).to_have_count(0)
    assert await sandbox.messages("ops") == shown
