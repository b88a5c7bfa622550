"""Asking: slash hints, sending, history, and what is said when nothing answers."""

import pytest
from playwright.async_api import expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.fake import FakeControl

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_hints_by_keyboard(control: FakeControl, open_page: OpenPage) -> None:
    """A slash shows the commands; arrows choose, Tab and Enter complete, Escape closes."""
    page = await open_page()
    composer, hints = page.get_by_test_id("composer"), page.get_by_test_id("hint")
    await composer.focus()
    await page.keyboard.type("/")
    await expect(hints).to_have_count(3)
    await expect(hints.first).to_contain_text("Health, members, backups, replacement")
    await expect(composer).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("ArrowDown")
    await expect(hints.nth(1)).to_have_attribute("aria-selected", "true")
    await expect(composer).to_have_attribute("aria-activedescendant", "hint-1")
    await page.keyboard.press("Tab")
    await expect(composer).to_have_value("/node ")
    await expect(hints).to_have_count(0)
    await expect(page.get_by_test_id("composer-status")).to_contain_text("/node list | drain NODE")

    await composer.fill("/e")
    await expect(hints).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(composer).to_have_value("/etcd ")
    await composer.fill("/o")
    await page.keyboard.press("Escape")
    await expect(hints).to_have_count(0)
    await expect(composer).to_have_value("/o")
    assert control.requests("command") == []


async def test_sending_and_history(control: FakeControl, open_page: OpenPage) -> None:
    """Enter sends as the chosen person; the up arrow brings earlier lines back."""
    page = await open_page("bob")
    composer = page.get_by_test_id("composer")
    await composer.fill("/etcd health demo")
    await composer.press("Enter")
    await control.heard("command", 1)
    await composer.fill("/ops runs")
    await page.get_by_test_id("send").click()
    await expect(composer).to_have_value("")
    await composer.press("ArrowUp")
    await expect(composer).to_have_value("/ops runs")
    await composer.press("ArrowUp")
    await expect(composer).to_have_value("/etcd health demo")
    await composer.press("ArrowDown")
    await composer.press("ArrowDown")
    await expect(composer).to_have_value("")
    common = {"user": "bob", "channel": "ops"}
    assert await control.heard("command", 2) == [
        {**common, "command": "/etcd", "text": "health demo"},
        {**common, "command": "/ops", "text": "runs"},
    ]


async def test_waiting_and_a_lost_acknowledgement(
    control: FakeControl, open_page: OpenPage
) -> None:
    """A spinner turns while the bot is silent; a failure is said and the line given back."""
    control.acked = False
    control.release.clear()
    page = await open_page()
    composer = page.get_by_test_id("composer")
    await composer.fill("/etcd health")
    await composer.press("Enter")
    spinner = page.get_by_role("img", name="Waiting for the bot")
    await expect(spinner).to_be_visible()
    control.release.set()
    await expect(spinner).to_be_hidden()
    status = page.get_by_test_id("composer-status")
    await expect(status).to_contain_text("did not acknowledge it within 3 seconds")
    await expect(composer).to_have_value("/etcd health")


async def test_plain_text_is_not_sent(control: FakeControl, open_page: OpenPage) -> None:
    """Words without a slash stay in the line, with a hint that only commands work."""
    page = await open_page()
    composer = page.get_by_test_id("composer")
    await composer.fill("hello")
    status = page.get_by_test_id("composer-status")
    await expect(status).to_contain_text("no plain messages")
    await composer.press("Enter")
    await expect(status).to_contain_text("Not sent")
    await expect(composer).to_have_value("hello")
    assert control.asked == []


async def test_welcome_fills_the_composer(control: FakeControl, open_page: OpenPage) -> None:
    """An empty channel offers first commands; one click puts one into the line, ready to send."""
    page = await open_page()
    welcome = page.get_by_test_id("welcome")
    await expect(welcome.get_by_role("button")).to_have_count(3)
    await welcome.get_by_role("button", name="/etcd members").click()
    composer = page.get_by_test_id("composer")
    await expect(composer).to_have_value("/etcd members")
    await expect(composer).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(composer).to_have_value("")
    assert [sent["text"] for sent in await control.heard("command", 1)] == ["members"]
