"""Changes on the sandbox's page: what people see of them, and what they press."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from procedures.model.events import Began, Done, Failed, Planned, Started
from procedures.model.plan import Risk
from tests.support.by_hand import by_hand
from tests.support.plans import a_change, a_plan, approved
from tests.support.run_messages import other, peer_urls
from tests.support.sandbox import Sandbox

STEPS = [
    "etcdctl snapshot save /backups/demo/2026-01-01T03-00-00Z.db",
    "etcdctl move-leader 8e9e05c52164694d",
    "etcdctl member remove 91bc3c398fb3c146",
    "etcdctl endpoint health, on each member by itself; etcdctl alarm list",
    "etcdctl put quorumbot/canary …; etcdctl get quorumbot/canary",
]
PLAN = a_plan(
    STEPS,
    title="Remove member demo-3 from demo",
    facts=(
        "Member demo-3 (91bc3c398fb3c146), peer https://10.0.0.3:2380, is down.",
        "Quorum: now 2 of 3 healthy, tolerance 0; afterwards 2 of 2, tolerance 0.",
    ),
    risk=Risk.DESTRUCTIVE,
)


async def become(page: Page, handle: str) -> None:
    await page.get_by_test_id("user-switcher").click()
    await page.get_by_test_id(f"user-{handle}").click()
    await expect(page.get_by_test_id("user-switcher")).to_contain_text(handle)


async def newest(page: Page, words: str) -> Locator:
    """The last message, as soon as it begins with some words; it stays that one."""
    last = page.locator("#message-list [data-testid=message]").last
    await expect(last).to_contain_text(words, timeout=15_000)
    return page.locator(f"#message-list [data-ts='{await last.get_attribute('data-ts')}']")


async def test_two_people_change_something(
    page: Page,
    sandbox: Sandbox,
    artifacts: Path,
) -> None:
    """Alice asks, Bob approves; both read how it went, in the thread and in the alerts."""
    url = other((await peer_urls(sandbox))["demo-1"])
    await page.get_by_test_id("composer").fill(f"/etcd member fix-peer-url demo-1 {url}")
    await page.keyboard.press("Enter")
    message = await newest(page, "Waiting for approval: Set the peer URL of demo-1")
    await expect(message.locator("code").nth(1)).to_contain_text("etcdctl member update")
    await become(page, "bob")
    await page.screenshot(path=artifacts / "change-waiting.png")
    await message.get_by_test_id("button-run.approve").click()
    await expect(message).to_contain_text("Succeeded: ", timeout=30_000)
    await expect(message.locator(".plan-title")).to_contain_text("Finished in")
    await expect(message.locator(".task-status")).to_have_text(["Complete"] * 3)
    await become(page, "alice")
    await message.get_by_test_id("thread-open").click()
    thread = page.get_by_test_id("thread-pane")
    await expect(thread).to_contain_text("the peer URL is")
    await expect(thread.locator(".mention", has_text="@etcd-approvers")).to_have_count(1)
    await expect(thread.get_by_test_id("file")).to_have_count(1, timeout=15_000)
    await page.screenshot(path=artifacts / "change-succeeded.png")
    await thread.get_by_role("button", name="Preview").click()
    await expect(page.get_by_test_id("file-preview")).to_contain_text("step 2: the peer URL")
    await page.keyboard.press("Escape")
    await page.get_by_test_id("channel-etcd-alerts").click()
    incident = page.locator("#message-list [data-testid=message]", has_text="Requested by").last
    await expect(incident).to_contain_text("Succeeded: Set the peer URL")
    await page.screenshot(path=artifacts / "change-incident.png")
    await incident.get_by_role("link", name="The run, with its steps and log").click()
    await expect(page.locator("#channel-name")).to_have_text("ops")
    await expect(message).to_be_in_viewport()


async def test_a_destructive_change_that_fails(
    page: Page,
    sandbox: Sandbox,
    artifacts: Path,
) -> None:
    """It asks once more before it counts an approval; a failed step stands out."""
    async with by_hand(sandbox) as hands:
        name = await hands.asked(a_change(reason="its disk is dead"), "browser")
        await hands.write(name, Began("w"), Planned(PLAN, 2))
        message = await newest(page, "Waiting for approval: Remove member demo-3")
        await become(page, "bob")
        await message.get_by_test_id("button-run.approve").click()
        await expect(page.get_by_test_id("confirm-dialog")).to_contain_text("tolerance 0")
        await page.screenshot(path=artifacts / "change-confirm.png")
        await page.get_by_test_id("confirm-ok").click()
        await expect(message).to_contain_text("1 of 2 needed")
        await become(page, "carol")
        await message.get_by_test_id("button-run.approve").click()
        await page.get_by_test_id("confirm-ok").click()
        await expect(message).to_contain_text("0 of 5 steps done, waiting for a worker")
        await hands.write(name, Began("w"), Started(1, 1), Done(1, None), Started(2, 1))
        await hands.say(name, [f"member {n}: copied {n * 17} MiB" for n in range(400)])
        await expect(message.locator(".plan-title")).to_contain_text("Running step 2 of 5")
        await message.get_by_test_id("button-run.log").click()
        private = page.get_by_test_id("ephemeral").last
        await expect(private).to_contain_text("member 399: copied")
        await message.evaluate("node => node.scrollIntoView({block: 'start'})")
        await page.screenshot(path=artifacts / "change-running.png")
        await hands.write(name, Done(2, None), Started(3, 1))
        error = "step 3: etcd refused the removal: etcdserver: unhealthy cluster. Look at demo-1."
        await hands.write(name, Failed(error, 3))
        await expect(message).to_contain_text("Failed: Remove member demo-3")
        await expect(message.locator(".task-error")).to_contain_text("unhealthy cluster")
        await message.get_by_test_id("thread-open").click()
        thread = page.get_by_test_id("thread-pane")
        await expect(thread).to_contain_text("lines more, in the log")
        await expect(thread.get_by_test_id("file")).to_have_count(1, timeout=15_000)
        await message.evaluate("node => node.scrollIntoView({block: 'start'})")
        await page.screenshot(path=artifacts / "change-failed.png")
        assert await newest(page, "Failed: Remove member demo-3") != message


async def test_a_plan_in_parts(
    page: Page,
    sandbox: Sandbox,
    artifacts: Path,
) -> None:
    """A plan of sixty steps is read in the thread, and its running shows where it is."""
    plan = a_plan([f"etcdctl put key-{n} {'v' * 120}" for n in range(60)], title="Fill demo")
    async with by_hand(sandbox) as hands:
        name = await hands.asked(a_change(), "long")
        await hands.write(name, Began("w"), Planned(plan, 1))
        message = await newest(page, "All of it is in the thread")
        await message.get_by_test_id("thread-open").click()
        thread = page.get_by_test_id("thread-pane")
        await expect(thread).to_contain_text("part 1 of 2")
        await page.screenshot(path=artifacts / "change-long.png")
        steps = [each for n in range(1, 31) for each in (Started(n, 1), Done(n, None))]
        await hands.write(name, *approved(plan)[1:], *steps, Started(31, 1))
        await expect(message).to_contain_text("Running step 31 of 60", timeout=15_000)
        await page.screenshot(path=artifacts / "change-long-running.png")
        await hands.write(name, Failed("step 31: no.", 31))
        await expect(message).to_contain_text("Failed: Fill demo", timeout=15_000)


pytestmark = pytest.mark.timeout(120)
