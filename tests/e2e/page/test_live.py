"""Looking on: live updates, threads, ephemerals, people, and a connection that breaks."""

import pytest
from playwright.async_api import expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.fake import FakeControl
from tests.e2e.page.samples import APPROVAL, BOT, FOR_ALICE, HEALTH, REPLIES, RICH, Wire, message

pytestmark = pytest.mark.asyncio(loop_scope="session")


def line(n: int, text: str | None = None) -> Wire:
    return {**BOT, "ts": f"17900010{n:02}.000000", "text": text or f"line {n}"}


async def test_a_message_arrives_changes_and_goes(
    control: FakeControl, open_page: OpenPage
) -> None:
    """A message is shown as it arrives, edited in place, announced by its text, and removed."""
    page = await open_page()
    shown = page.get_by_test_id("message")
    await control.say(line(1, "demo: checking, …"))
    await expect(shown).to_have_count(1)
    await expect(page.get_by_test_id("announcer")).to_have_text("demo: checking, …")
    await control.say(line(1, "demo: healthy, 3 of 3 members"))
    await expect(shown).to_contain_text("demo: healthy")
    await expect(shown).to_have_count(1)
    await expect(page.get_by_test_id("announcer")).to_have_text("demo: healthy, 3 of 3 members")
    control.messages["ops"] = []
    await control.tell({"type": "deleted", "channel": "ops", "ts": line(1)["ts"]})
    await expect(shown).to_have_count(0)
    await expect(page.get_by_test_id("welcome")).to_be_visible()


async def test_unread_marks(control: FakeControl, open_page: OpenPage) -> None:
    """Another channel counts what is new until it is opened."""
    page = await open_page()
    alerts = page.get_by_test_id("channel-etcd-alerts")
    await control.say(line(1), channel="etcd-alerts")
    await control.say(line(2), channel="etcd-alerts")
    await expect(alerts).to_contain_text("2")
    await alerts.click()
    await expect(page.get_by_test_id("message")).to_have_count(2)
    await expect(alerts).not_to_contain_text("2")
    await expect(alerts).to_have_attribute("aria-current", "page")


async def test_scroll_stays_at_the_end_or_tells(control: FakeControl, open_page: OpenPage) -> None:
    """At the end, the list follows; above it, a pill leads to what is new."""
    control.messages["ops"] = [line(n) for n in range(40)]
    page = await open_page()
    pill = page.get_by_test_id("new-messages")
    await control.say(line(50))
    await expect(page.get_by_role("article").get_by_text("line 50")).to_be_in_viewport()
    await expect(pill).to_be_hidden()
    await page.locator("#messages").evaluate("node => { node.scrollTop = 0 }")
    await control.say(line(51))
    await expect(pill).to_be_visible()
    await expect(page.get_by_role("article").get_by_text("line 51")).not_to_be_in_viewport()
    await pill.click()
    await expect(page.get_by_role("article").get_by_text("line 51")).to_be_in_viewport()
    await expect(pill).to_be_hidden()


async def test_thread(control: FakeControl, open_page: OpenPage) -> None:
    """The reply count opens the thread; it grows live; Escape closes it and gives focus back."""
    control.messages["ops"] = [APPROVAL, *REPLIES]
    page = await open_page()
    opener, pane = page.get_by_test_id("thread-open"), page.get_by_test_id("thread-pane")
    await expect(opener).to_contain_text("2 replies")
    await expect(page.get_by_test_id("message")).to_have_count(1)
    await opener.click()
    await expect(pane.get_by_test_id("message")).to_have_count(3)
    reply = message(
        "1790000500.000000",
        "output line 3",
        thread_ts=APPROVAL["ts"],
        files=[{"id": "F1", "name": "run.log", "size": 5, "url_private": "/files/F1"}],
    )
    await control.say(reply)
    await expect(pane.get_by_test_id("file")).to_contain_text("run.log")
    await expect(opener).to_contain_text("3 replies")
    await page.keyboard.press("Escape")
    await expect(pane).to_be_hidden()
    await expect(opener).to_be_focused()


async def test_ephemerals_are_for_their_viewer(control: FakeControl, open_page: OpenPage) -> None:
    """An ephemeral message is marked, and gone as soon as somebody else looks."""
    page = await open_page("alice")
    await control.say(HEALTH)
    await control.say_to("alice", FOR_ALICE)
    ephemeral = page.get_by_test_id("ephemeral")
    await expect(ephemeral).to_contain_text("Only visible to you")
    await expect(ephemeral).to_contain_text("Only alice sees this")

    await page.get_by_test_id("user-switcher").click()
    await page.get_by_test_id("user-bob").click()
    await expect(page.get_by_test_id("user-switcher")).to_contain_text("You are: bob")
    await expect(page.get_by_test_id("message")).to_have_count(1)
    await expect(ephemeral).to_have_count(0)
    await page.get_by_test_id("user-switcher").click()
    await page.get_by_test_id("user-alice").click()
    await expect(ephemeral).to_have_count(1)


async def test_user_switcher_says_who_is_what(open_page: OpenPage) -> None:
    """The switcher names rights and origin, leaves bots out, and works by keyboard."""
    page = await open_page()
    await page.get_by_test_id("user-switcher").press("Enter")
    menu = page.get_by_role("menu")
    await expect(menu.get_by_role("menuitemradio")).to_have_count(4)
    await expect(page.get_by_test_id("user-bob")).to_contain_text("may approve")
    await expect(page.get_by_test_id("user-guest")).to_contain_text("guest")
    await expect(page.get_by_test_id("user-mallory")).to_contain_text("other workspace")
    await expect(page.get_by_test_id("user-alice")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("user-switcher")).to_contain_text("You are: bob")
    await expect(page.get_by_test_id("user-switcher")).to_be_focused()
    assert "user=bob" in page.url
    await page.reload()
    await expect(page.get_by_test_id("user-switcher")).to_contain_text("You are: bob")


async def test_reconnect_catches_up(control: FakeControl, open_page: OpenPage) -> None:
    """After a broken connection the page comes back by itself with what it missed."""
    page = await open_page()
    await expect(page.get_by_test_id("welcome")).to_be_visible()
    control.messages["ops"] = [line(1)]
    await control.hang_up()
    await expect(page.get_by_test_id("message")).to_contain_text("line 1")
    await expect(page.get_by_test_id("status")).to_have_text("ready")


async def test_starting(control: FakeControl, open_page: OpenPage) -> None:
    """Until everything is up the page says so."""
    page = await open_page()
    await control.change(ready=False)
    await expect(page.get_by_test_id("status")).to_have_text("starting…")
    await control.change(ready=True)
    await expect(page.get_by_test_id("status")).to_have_text("ready")


async def test_an_edit_keeps_focus_and_open_details(
    control: FakeControl, open_page: OpenPage
) -> None:
    """A run message that is edited in place does not throw its reader out."""
    await control.say(APPROVAL)
    page = await open_page()
    reject = page.get_by_test_id("button-run.reject")
    await reject.focus()
    await control.say({**APPROVAL, "text": "Waiting for approval: 2 of 2"})
    await expect(page.get_by_test_id("announcer")).to_have_text("Waiting for approval: 2 of 2")
    await expect(reject).to_be_focused()
    await control.say(RICH)
    rich = page.locator(f"[data-ts='{RICH['ts']}']")
    await rich.get_by_text("Output", exact=True).click()
    await control.say({**RICH, "text": "Rich text, edited"})
    await expect(page.get_by_test_id("announcer")).to_have_text("Rich text, edited")
    await expect(rich.get_by_text("all the output")).to_be_visible()
