"""What a bot sends is shown, all of it, and nothing of it is ever markup."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.page.conftest import OpenPage
from tests.e2e.page.fake import FakeControl
from tests.e2e.page.samples import (
    APPROVAL,
    EVERYTHING,
    HEALTH,
    HOSTILE,
    OF_A_PERSON,
    RICH,
    UNKNOWN,
    XSS,
    Wire,
    message,
    mrkdwn,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


def article(page: Page, sent: Wire) -> Locator:
    return page.locator(f"#message-list [data-testid=message][data-ts='{sent['ts']}']")


async def test_every_block_is_shown(control: FakeControl, open_page: OpenPage) -> None:
    """Each kind of block becomes the elements that mean the same."""
    control.messages["ops"] = EVERYTHING
    page = await open_page()
    health, approval, rich = (article(page, sent) for sent in (HEALTH, APPROVAL, RICH))

    await expect(health.get_by_role("heading")).to_have_text(HEALTH["text"])
    await expect(health.get_by_role("link", name="the guide")).to_have_attribute(
        "href", "https://etcd.io/docs/"
    )
    await expect(health.locator("blockquote")).to_have_text("context deadline exceeded")
    await expect(health.get_by_test_id("button-health.again")).to_be_visible()
    await expect(health.locator(".context")).to_contain_text("Asked by @alice · 21 Sept 2026")
    await expect(health.get_by_role("img", name="quorumbot mark")).to_be_visible()

    table = health.get_by_role("table", name="Members, unhealthy first")
    await expect(table.get_by_role("columnheader")).to_have_count(5)
    await expect(table.get_by_role("rowheader")).to_have_text(["demo-3", "demo-1", "demo-2"])
    await health.get_by_role("button", name="Show all 4 rows").click()
    await expect(table.get_by_role("rowheader")).to_have_count(4)

    await expect(approval.locator(".field")).to_have_count(4)
    await expect(approval.locator(".field").last).to_contain_text("dead & gone")
    tasks = approval.get_by_role("region", name="What will run").locator(".task")
    for task, word in zip(
        await tasks.all(), ("Complete", "In progress", "Error", "Pending"), strict=True
    ):
        await expect(task.locator(".task-status")).to_have_text(word)
    await expect(tasks.nth(2)).to_contain_text("etcdserver: unhealthy cluster")
    await expect(approval.get_by_role("separator")).to_have_count(1)
    await expect(approval.locator(".button-danger")).to_have_text("Approve Removal")
    await expect(approval.locator(".button-primary")).to_have_text("Show Plan")

    await expect(rich.locator(".rich-text strong").first).to_have_text("bold")
    await expect(rich.locator(".rich-text ol > li")).to_have_text(["first", "second"])
    await expect(rich.locator(".rich-text .mention")).to_have_text(["@bob", "#ops"])
    await expect(rich.locator(".markdown").get_by_role("heading")).to_have_text("Restore")
    await expect(rich.locator(".markdown ol > li > ul > li")).to_have_text("with etcdutl")
    await expect(rich.locator(".markdown td.align-right")).to_have_text("12")
    await expect(rich.locator(".markdown pre")).to_have_text("etcdutl snapshot restore x.db")
    await expect(rich.locator("td.align-right").last).to_have_text("81 %")
    await rich.get_by_text("Output", exact=True).click()
    await expect(rich.get_by_text("all the output")).to_be_visible()
    await expect(rich.locator(".edited")).to_have_text("(edited)")
    for known in (health, approval, rich):
        await expect(known.get_by_test_id("block-error")).to_have_count(0)


async def test_mrkdwn_of_plain_text(control: FakeControl, open_page: OpenPage) -> None:
    """A message without blocks is read as mrkdwn: marks, lists, fences, mentions, entities."""
    control.messages["ops"] = [OF_A_PERSON]
    page = await open_page()
    body = article(page, OF_A_PERSON).locator(".mrkdwn")
    await expect(body.locator("strong")).to_have_text("bold")
    await expect(body.locator("em")).to_have_text("italic")
    await expect(body.locator("s")).to_have_text("struck")
    await expect(body.locator("code")).to_have_text("a*b*c")
    await expect(body).to_contain_text("snake_case_name ❌ :nonsense: 12:30:45")
    await expect(body.locator("ul > li")).to_have_text(["one", "two"])
    await expect(body.locator("ol > li")).to_have_attribute("value", "3")
    await expect(body.locator("pre")).to_have_text("pre *not bold*")
    await expect(body.locator(".mention")).to_have_text(["@alice", "@channel"])
    await expect(body.get_by_role("link", name="mail")).to_have_attribute("href", "mailto:a@b.c")
    await expect(body).to_contain_text("<b>")
    await expect(article(page, OF_A_PERSON).locator(".badge-app")).to_have_count(0)


async def test_nothing_sent_becomes_markup(control: FakeControl, open_page: OpenPage) -> None:
    """Hostile text is shown as text in every kind of block; a script address is no link."""
    control.messages["ops"] = [HOSTILE]
    page = await open_page()
    hostile = article(page, HOSTILE)
    await expect(hostile).to_have_attribute("aria-label", re.compile(re.escape(XSS)))
    await expect(hostile.get_by_text(XSS)).to_have_count(5)
    await expect(hostile.locator("img, a, script")).to_have_count(0)
    await expect(hostile).to_contain_text("<javascript:alert(1)|press me>")
    await expect(hostile).to_contain_text("[press me](javascript:alert(1))")
    assert await page.title() == "#ops · sandbox"


async def test_an_unknown_block_is_an_error_that_names_it(
    control: FakeControl, open_page: OpenPage
) -> None:
    """What the page does not know stands there with its type and JSON; so does a null block."""
    control.messages["ops"] = [UNKNOWN]
    page = await open_page()
    boxes = article(page, UNKNOWN).get_by_test_id("block-error")
    await expect(boxes).to_have_count(4)
    await expect(boxes.nth(0)).to_contain_text("block: hologram")
    await expect(boxes.nth(0)).to_contain_text('"depth": 3')
    await expect(boxes.nth(1)).to_contain_text("null")
    await expect(boxes.nth(2)).to_contain_text("element: smell")
    await expect(boxes.nth(3)).to_contain_text("rich_text_song")


async def test_foreign_images_are_not_loaded(control: FakeControl, open_page: OpenPage) -> None:
    """An image of another server is shown as its words and address."""
    control.messages["ops"] = [RICH]
    page = await open_page()
    rich = article(page, RICH)
    await expect(rich.locator("img")).to_have_count(0)
    await expect(rich.locator("figure")).to_contain_text("a rising line")
    await expect(rich.locator("figure")).to_contain_text("https://elsewhere.example/line.png")


async def test_long_unbalanced_marks_do_not_stall(
    control: FakeControl, open_page: OpenPage
) -> None:
    """Text that opens many marks and closes none is shown within a second or so."""
    text = "*a `b` <c _d ~e " * 180
    control.messages["ops"] = [
        message("1790000001.000000", "marks", {"type": "section", "text": mrkdwn(text)})
    ]
    page = await open_page()
    await expect(page.locator("#message-list code")).to_have_count(180)


async def test_file_preview(control: FakeControl, open_page: OpenPage) -> None:
    """A file of this server can be looked at on the page and downloaded."""
    control.messages["ops"] = [OF_A_PERSON]
    page = await open_page()
    await page.get_by_role("button", name="Preview run-r-7K2M.log").click()
    await expect(page.get_by_test_id("file-preview")).to_contain_text("the whole log")
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("file-preview")).to_have_count(0)
    download = page.get_by_role("link", name="Download run-r-7K2M.log")
    await expect(download).to_have_attribute("href", f"{control.url}/files/F1")
