"""Changes of the demo cluster as people follow them: the messages of runs, and clicks on them."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually

Wire = dict[str, Any]
PEOPLE = ("alice", "bob", "carol", "dave")
_CALL = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True)
class Shown:
    """The message of a changing run, as everybody sees it."""

    ts: str
    text: str
    payload: Wire
    blocks: tuple[Wire, ...]

    @property
    def run(self) -> str:
        return str(self.payload["run_id"])

    @property
    def state(self) -> str:
        return str(self.payload["state"])


async def messages_of_runs(sandbox: Sandbox, since: str, channel: str = "ops") -> list[Shown]:
    """The messages of changing runs that are newer than a moment."""
    return [
        Shown(
            message["ts"],
            message["text"],
            message["metadata"]["event_payload"],
            tuple(message["blocks"]),
        )
        for message in await sandbox.messages(channel)
        if message["ts"] > since
        and message.get("metadata", {}).get("event_type") == "quorumbot_run"
    ]


async def in_state(
    sandbox: Sandbox, state: str, since: str, channel: str = "ops", seconds: float = 60
) -> Shown:
    """The one run that is newer than a moment, as soon as its message says that state."""
    found: list[Shown] = []

    async def there() -> bool:
        found[:] = await messages_of_runs(sandbox, since, channel)
        assert len(found) <= 1, [each.text for each in found]
        return bool(found) and found[0].state == state

    try:
        await eventually(there, seconds, f"a run is {state}")
    except AssertionError as failure:
        whispers = [
            (viewer, each["text"])
            for viewer in PEOPLE
            for each in await sandbox.messages(channel, viewer)
            if each.get("is_ephemeral") and each["ts"] > since
        ]
        raise AssertionError(f"{failure}: {[each.text for each in found]}, {whispers}") from None
    return found[0]


async def click(
    sandbox: Sandbox, user: str, shown: Shown, action: str, channel: str = "ops", **forged: str
) -> None:
    """Click a button of a run's message; `forged` says otherwise than the button does."""
    body = {"user": user, "channel": channel, "ts": shown.ts, "action_id": action, **forged}
    async with (
        aiohttp.ClientSession(timeout=_CALL) as session,
        session.post(f"{sandbox.url}/control/click", json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()
        assert (await answer.json())["acked"]


async def decide(sandbox: Sandbox, user: str, shown: Shown, action: str, since: str) -> None:
    """Click, as an approver whose click decides; again where Slack would not say who may.

    Slack says only 20 times in a minute who is in a group, and tests are quicker than people.
    """

    async def decided() -> bool:
        (now,) = await messages_of_runs(sandbox, since)
        return now.state != shown.state

    for _ in range(15):
        await click(sandbox, user, shown, action)
        with suppress(AssertionError):
            await eventually(decided, 5)
            return
    raise AssertionError(f"{action} of {user} decides nothing")


async def peer_urls(sandbox: Sandbox) -> dict[str, str]:
    """The peer URL of each member, as Quorumbot lists them."""
    answer = await sandbox.wait_for_answer(await sandbox.accepted("members"))
    column = answer.table[0].index("Peer URLs")
    return {row[0]: row[column] for row in answer.table[1:]}


def other(url: str) -> str:
    """The same place on this machine under its other name."""
    names = ("127.0.0.1", "localhost")
    name = next(each for each in names if each in url)
    return url.replace(name, names[1 - names.index(name)])
