"""The Done button, pressed by everybody, on the real front; the test plays the worker.

No procedure of the product has a step for people yet, so that the run is written by hand.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from procedures.model.events import Asked, Began, Cancelled, Done, Reported, Started
from procedures.model.ids import RunId, UserId
from tests.support.by_hand import ByHand, by_hand
from tests.support.plans import a_change, a_plan, approved
from tests.support.run_messages import Shown, click, in_state
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually

PLAN = a_plan(("etcdctl member list", "Allow TCP 2380 in the cloud console.", "check"))


@dataclass
class Asking:
    """A run that asks people for its second step, and what is read of it."""

    sandbox: Sandbox
    hands: ByHand
    name: RunId
    since: str

    async def shown(self, state: str = "Waiting for a person") -> Shown:
        return await in_state(self.sandbox, state, self.since)

    async def version(self) -> int:
        return (await self.hands.front.read(self.name)).version

    async def told(self, user: str, shown: Shown, **forged: str) -> str:
        """Press Done; what whoever pressed reads, and nobody else."""

        async def private() -> list[str]:
            messages = await self.sandbox.messages("ops", user)
            return [each["text"] for each in messages if each.get("is_ephemeral")]

        before, version = len(await private()), await self.version()
        await click(self.sandbox, user, shown, "run.done", **forged)

        async def answered() -> bool:
            return len(await private()) > before

        await eventually(answered, 10, f"an answer for {user}")
        assert await self.version() == version
        return (await private())[-1]


@asynccontextmanager
async def asking(sandbox: Sandbox, source: str) -> AsyncIterator[Asking]:
    since = await sandbox.moment()
    async with by_hand(sandbox) as hands:
        name = await hands.asked(a_change(), source)
        first = (Began("w"), Started(1, 1), Done(1, None))
        await hands.write(name, Began("w"), *approved(PLAN), *first, Asked(2, 1))
        yield Asking(sandbox, hands, name, since)


async def test_who_may_say_that_it_is_done(sandbox: Sandbox) -> None:
    """Not a member who is no approver, nor guests, nor people from elsewhere; who asked may."""
    async with asking(sandbox, "done-who") as run:
        shown = await run.shown()
        assert "Allow TCP 2380 in the cloud console." in shown.text
        assert await run.told("dave", shown) == (
            "Only who asked for it, or an approver, may say that it is done."
        )
        for stranger in ("guest", "mallory"):
            assert await run.told(stranger, shown)
        await click(sandbox, "alice", shown, "run.done")
        journal = await run.hands.front.read(run.name)
        assert journal.entries[-1].event == Reported(2, 1, UserId("U0ALICE"))
        await run.hands.write(run.name, Cancelled("over."))


async def test_done_that_comes_twice_or_late(sandbox: Sandbox) -> None:
    """An approver may say so; a second press, a stale one and a forged one are told so."""
    async with asking(sandbox, "done-late") as run:
        first = await run.shown()
        (buttons,) = [each for each in first.blocks if each["type"] == "actions"]
        stale = buttons["block_id"]
        assert "something else by now" in await run.told("bob", first, block_id="1-forged-3.1")
        await click(sandbox, "bob", first, "run.done")
        assert await run.told("carol", first, block_id=stale) == (
            "Nothing waits for Done there: it is queued."
        )
        await run.hands.write(run.name, Began("w"), Asked(2, 2, "the port is closed."))
        again = await run.shown()
        assert "something else by now" in await run.told("carol", again, block_id=stale)
        typed = await sandbox.command("alice", "ops", f"done {run.name}", command="/ops")
        assert (typed.words or "").startswith("Step 2 is said to be done: ")
        await run.hands.write(run.name, Cancelled("over."))
        assert await run.told("bob", again, value=run.name, block_id=stale) == (
            "Nothing waits for Done there: it is cancelled."
        )


async def test_a_cancel_while_it_waits(sandbox: Sandbox) -> None:
    """Below the same message, and at once: no worker is needed for that."""
    async with asking(sandbox, "done-cancel") as run:
        await click(sandbox, "alice", await run.shown(), "run.cancel")
        ended = await run.shown("Cancelled")
        assert "Nobody said whether this was done: Do the thing number 2." in ended.text
        assert "Done before: Do the thing number 1. The rest was not begun." in ended.text
