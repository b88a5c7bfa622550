"""Pictures for people: the page in light, dark and at the width of a phone."""

from pathlib import Path

import pytest

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.fake import FakeControl
from tests.e2e.page.samples import APPROVAL, EVERYTHING, FOR_ALICE, HEALTH, MODAL, REPLIES

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS = [
    {
        "n": n,
        "at": 1790000000 + n,
        "method": method,
        "ms": 4.2 * n,
        "args": {"channel": "C0OPS"},
        "response": {"ok": n != 3, **({"error": "ratelimited"} if n == 3 else {})},
    }
    for n, method in enumerate(["auth.test", "chat.postMessage", "chat.update", "users.info"], 1)
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
async def test_pictures(
    control: FakeControl,
    open_page: OpenPage,
    artifacts: Path,
    scheme: str,
    size: tuple[int, int],
) -> None:
    """Each part of the page can be drawn in both schemes and at both widths."""
    width, height = size
    control.traffic = CALLS
    control.state["faults"] = [{"id": "f1", "kind": "rate_limit", "method": "chat.update"}]
    page = await open_page(width=width, height=height, dark=scheme == "dark")

    async def picture(name: str) -> None:
        await page.screenshot(path=artifacts / f"page-{scheme}-{width}-{name}.png")

    await page.get_by_test_id("welcome").wait_for()
    await picture("welcome")
    control.messages["ops"] = [*EVERYTHING, *REPLIES]
    control.private["alice"] = [FOR_ALICE]
    await page.reload()
    await page.get_by_test_id("ephemeral").wait_for()
    await picture("end")
    for name, ts in (("health", HEALTH["ts"]), ("rich", "1790000400.000100")):
        article = page.locator(f"[data-testid=message][data-ts='{ts}']")
        await article.evaluate("node => node.scrollIntoView()")
        await picture(name)
    await page.locator(f"[data-ts='{APPROVAL['ts']}']").get_by_test_id("thread-open").click()
    await page.get_by_test_id("thread-pane").get_by_text("output line 2").wait_for()
    await picture("thread")
    await page.get_by_test_id("thread-close").click()
    await page.get_by_test_id("button-run.approve").click()
    await picture("confirm")
    await page.get_by_test_id("confirm-cancel").click()
    await page.get_by_test_id("drawer-toggle").click()
    await picture("drawer")
    await page.keyboard.press("Escape")
    await page.get_by_test_id("traffic-toggle").click()
    await page.get_by_test_id("traffic-entry").first.click()
    await page.get_by_text("Response").wait_for()
    await picture("traffic")
    await page.keyboard.press("Escape")
    await page.get_by_test_id("composer").fill("/")
    await picture("hints")
    await page.get_by_test_id("composer").fill("")
    await page.keyboard.press("Control+k")
    await picture("jump")
    await page.keyboard.press("Escape")
    if width < 720:
        await page.get_by_role("button", name="Channels and user").click()
    await page.get_by_test_id("user-switcher").click()
    await picture("users")
    await page.keyboard.press("Escape")
    await control.tell({"type": "views", "home": None, "modals": [MODAL]})
    await page.get_by_test_id("modal").wait_for()
    await picture("modal")
