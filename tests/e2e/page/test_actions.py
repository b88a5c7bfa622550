"""Pressing things: buttons, questions, modals, faults, the cluster, and all of it by keyboard."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.fake import FakeControl
from tests.e2e.page.samples import APPROVAL, EVERYTHING, MODAL, REPLIES, Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

ACCESSIBILITY = Path(__file__).with_name("accessibility.js").read_text()
CLICK: Wire = {
    "user": "alice",
    "channel": "ops",
    "ts": APPROVAL["ts"],
    "value": "q-123",
    "block_id": "r-7K2M.1",
}


async def test_confirm_dialog(control: FakeControl, open_page: OpenPage) -> None:
    """A button with a question is delivered only after its confirmation."""
    control.messages["ops"] = [APPROVAL]
    page = await open_page()
    approve, dialog = (
        page.get_by_test_id("button-run.approve"),
        page.get_by_test_id("confirm-dialog"),
    )
    await approve.click()
    await expect(dialog).to_contain_text("Remove demo-3?")
    await expect(dialog).to_contain_text("The member id never returns.")
    await expect(page.get_by_test_id("confirm-cancel")).to_be_focused()
    await page.get_by_test_id("confirm-cancel").click()
    await expect(dialog).to_have_count(0)
    await expect(approve).to_be_focused()
    await approve.click()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert control.requests("click") == []
    await approve.click()
    await page.get_by_test_id("confirm-ok").click()
    await expect(dialog).to_have_count(0)
    await expect(approve).not_to_have_attribute("aria-busy", "true")
    assert await control.heard("click", 1) == [{**CLICK, "action_id": "run.approve"}]


async def test_a_click_is_busy_then_warns(control: FakeControl, open_page: OpenPage) -> None:
    """A button is busy until the bot acknowledges; if it never does, that is said."""
    control.messages["ops"] = [APPROVAL]
    control.acked = False
    control.release.clear()
    page = await open_page()
    reject = page.get_by_test_id("button-run.reject")
    await reject.click()
    await expect(reject).to_have_attribute("aria-busy", "true")
    await reject.click()
    control.release.set()
    await expect(page.get_by_test_id("notice")).to_contain_text("“Reject” may not have worked")
    await expect(reject).not_to_have_attribute("aria-busy", "true")
    assert control.requests("click") == [{**CLICK, "action_id": "run.reject"}]


async def test_modal(control: FakeControl, open_page: OpenPage) -> None:
    """A modal of the bot appears for its person, and its answers go back in Slack's form."""
    page = await open_page()
    modal = page.get_by_test_id("modal")
    await control.tell({"type": "views", "home": None, "modals": [MODAL]}, viewer="alice")
    await expect(modal).to_contain_text("Ask etcd")
    await modal.get_by_label("Question").select_option("members")
    control.submit_response = {"response_action": "errors", "errors": {"why": "Say why."}}
    await page.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_role("alert")).to_have_text("Say why.")
    await modal.get_by_label("Reason").fill("curious")
    await page.get_by_test_id("modal-submit").click()
    await expect(page.get_by_test_id("modal-submit")).not_to_have_attribute("aria-busy", "true")
    await control.tell({"type": "views", "home": None, "modals": []})
    await expect(modal).to_have_count(0)
    _, last = control.requests("submit")
    chosen = {"text": {"type": "plain_text", "text": "Members"}, "value": "members"}
    assert last == {
        "user": "alice",
        "view_id": "V1",
        "values": {
            "verb": {"pick": {"type": "static_select", "selected_option": chosen}},
            "why": {"text": {"type": "plain_text_input", "value": "curious"}},
        },
    }


async def test_modal_buttons_and_dismissal(control: FakeControl, open_page: OpenPage) -> None:
    """A button in a modal names its view; a modal that was closed does not come back by itself."""
    button: Wire = {
        "type": "button",
        "action_id": "more",
        "text": {"type": "plain_text", "text": "More"},
    }
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    control.modals = [{**MODAL, "blocks": blocks}]
    page = await open_page()
    await page.get_by_test_id("button-more").click()
    await expect(page.get_by_test_id("button-more")).not_to_have_attribute("aria-busy", "true")
    pressed = {"user": "alice", "view_id": "V1", "action_id": "more", "block_id": "b"}
    assert await control.heard("click", 1) == [pressed]
    await page.get_by_test_id("modal-close").click()
    await control.tell({"type": "views", "home": None, "modals": control.modals})
    await control.say(APPROVAL)
    await expect(page.get_by_test_id("message")).to_have_count(1)
    await expect(page.get_by_test_id("modal")).to_have_count(0)


async def test_home(control: FakeControl, open_page: OpenPage) -> None:
    """Opening the Home tab tells the bot, which then fills it; its buttons name the view."""
    page = await open_page("bob")
    await page.get_by_test_id("home-open").click()
    pane = page.get_by_test_id("home-pane")
    await expect(pane).to_contain_text("no Home for bob yet")
    blocks = [APPROVAL["blocks"][3]]
    await control.tell({"type": "views", "home": {"id": "V9", "blocks": blocks}, "modals": []})
    reject = pane.get_by_test_id("button-run.reject")
    await reject.click()
    await expect(reject).not_to_have_attribute("aria-busy", "true")
    assert await control.heard("event", 1) == [{"type": "app_home_opened", "user": "bob"}]
    assert [click["view_id"] for click in await control.heard("click", 1)] == ["V9"]
    await page.keyboard.press("Escape")
    await expect(pane).to_be_hidden()


async def test_traffic(control: FakeControl, open_page: OpenPage) -> None:
    """The inspector lists calls live, shows both sides of one, and filters by method."""
    call: Wire = {"n": 1, "at": 1790000000, "method": "chat.postMessage", "ms": 3}
    control.traffic = [{**call, "args": {"text": "<b>"}, "response": {"ok": True}}]
    page = await open_page()
    entries = page.get_by_test_id("traffic-entry")
    await page.get_by_test_id("traffic-toggle").click()
    await expect(entries).to_have_count(1)
    failed = {"ok": False, "error": "ratelimited"}
    live = {**call, "n": 2, "method": "users.info", "args": {}, "response": failed}
    await control.tell({"type": "traffic", "entry": live})
    await expect(entries.first).to_contain_text("ratelimited")
    await entries.last.locator("summary").click()
    await expect(entries.last).to_contain_text('"text": "<b>"')
    await page.get_by_test_id("traffic-filter").fill("users")
    await expect(entries).to_have_count(1)
    await page.get_by_test_id("traffic-toggle").click()
    await expect(page.get_by_test_id("traffic-pane")).to_be_hidden()


async def test_faults_and_cluster(control: FakeControl, open_page: OpenPage) -> None:
    """The drawer injects and removes faults, moves the clock and acts on members, and reports."""
    page = await open_page()
    await page.get_by_test_id("drawer-toggle").click()
    drawer = page.get_by_test_id("drawer")
    await expect(drawer).to_contain_text("Acts on the real etcd processes of the demo cluster.")
    await page.get_by_test_id("fault-add").click()
    await expect(page.get_by_test_id("fault")).to_contain_text("Rate limit")
    await page.get_by_role("button", name="Remove: Rate limit").click()
    await expect(page.get_by_test_id("fault")).to_have_count(0)
    await page.get_by_test_id("fault-kind").select_option("outage")
    await expect(page.get_by_test_id("fault-method")).to_be_hidden()
    await page.get_by_test_id("fault-amount").fill("7")
    await page.get_by_test_id("fault-add").click()
    await expect(page.get_by_test_id("fault")).to_contain_text("Slack is down")
    await page.get_by_test_id("clock-900").click()
    await expect(drawer.get_by_role("status")).to_have_text("Done: clock +15 min.")
    await page.get_by_role("button", name="kill demo-3").click()
    await expect(drawer.get_by_role("status")).to_have_text("Done: demo-3: kill.")
    await page.get_by_role("button", name="stop demo-2").click()
    await expect(drawer.get_by_role("status")).to_contain_text("demo-2 is stopped already")
    assert control.asked == [
        (
            "faults",
            {"kind": "rate_limit", "retry_after": 5, "method": "chat.postMessage", "count": 1},
        ),
        ("unfault", {"id": "f1"}),
        ("faults", {"kind": "outage", "seconds": 7}),
        ("clock", {"advance_s": 900}),
        ("cluster", {"member": "demo-3", "do": "kill"}),
        ("cluster", {"member": "demo-2", "do": "stop"}),
    ]


async def test_quick_switch(open_page: OpenPage) -> None:
    """Ctrl+K and a few letters lead to a channel or make one somebody else."""
    page = await open_page()
    await page.get_by_test_id("composer").focus()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_test_id("jump-input")).to_be_focused()
    await page.keyboard.type("alerts")
    await page.keyboard.press("Enter")
    await expect(page.locator("#channel-name")).to_have_text("etcd-alerts")
    await page.keyboard.press("Meta+k")
    await page.keyboard.type("@bo")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("user-switcher")).to_contain_text("You are: bob")
    await expect(page.get_by_test_id("composer")).to_be_focused()


async def test_approving_by_keyboard_alone(control: FakeControl, open_page: OpenPage) -> None:
    """From the address bar to an approval with Tab, arrows and Enter, nothing else."""
    control.messages["ops"] = [APPROVAL]
    page = await open_page("bob")
    await expect(page.get_by_test_id("message")).to_be_visible()
    approve = page.get_by_test_id("button-run.approve")
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await approve.evaluate("node => node === document.activeElement"):
            break
    await expect(approve).to_be_focused()
    outline = await approve.evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("confirm-cancel")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_test_id("confirm-ok")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("confirm-dialog")).to_have_count(0)
    assert [click["user"] for click in await control.heard("click", 1)] == ["bob"]


async def test_everything_has_a_name(control: FakeControl, open_page: OpenPage) -> None:
    """Every control has an accessible name, references lead somewhere, ids are unique."""
    control.messages["ops"] = [*EVERYTHING, *REPLIES]
    control.state["faults"] = [{"id": "f1", "kind": "drop_ack"}]
    page = await open_page()
    await page.get_by_test_id("thread-open").click()
    await page.get_by_test_id("traffic-toggle").click()
    await page.get_by_test_id("user-switcher").click()
    await control.tell({"type": "views", "home": None, "modals": [MODAL]})
    await page.get_by_test_id("modal").wait_for()
    assert await page.evaluate(ACCESSIBILITY) == []
    await expect(page.get_by_test_id("banner")).to_contain_text("nothing leaves this machine")


async def test_narrow_window(control: FakeControl, open_page: OpenPage) -> None:
    """On a phone nothing is wider than the window, and the sidebar opens and closes."""
    control.messages["ops"] = EVERYTHING
    page = await open_page(width=390, height=844)
    await page.get_by_test_id("message").first.wait_for()
    overflow = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(overflow) <= 0
    alerts = page.get_by_test_id("channel-etcd-alerts")
    await expect(alerts).to_be_hidden()
    await page.get_by_role("button", name="Channels and user").click()
    await alerts.click()
    await expect(alerts).to_be_hidden()
    await expect(page.locator("#channel-name")).to_have_text("etcd-alerts")
    await expect(page.get_by_test_id("banner")).to_be_in_viewport()
