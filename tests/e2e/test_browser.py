"""A person with a browser and a keyboard, in front of the whole product."""

from pathlib import Path

from playwright.async_api import Page, expect

from tests.support.sandbox import Sandbox

ANSWER_MS = 30_000


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
