"""Who asks is looked up each minute; whoever cannot be looked up is refused, in time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.http import listening
from bot.sandbox.ports import free_ports
from bot.sandbox.workspace.server import Server
from tests.integration.front.conftest import Open
from tests.integration.front.harness import Door, NotingGate

Flags = dict[str, Any]
DoorFor = Callable[[Flags, Flags], Awaitable[Door]]


@pytest.fixture
async def door_for(open_door: Open) -> AsyncIterator[DoorFor]:
    """A front whose Slack says these things of everybody, and of every channel."""
    user: Flags = {"id": "U0ALICE", "name": "alice", "team_id": "T0SANDBOX"}
    channel: Flags = {"id": "C0OPS", "is_member": True}

    async def api(request: web.Request) -> web.Response:
        bodies: dict[str, Flags] = {
            "auth.test": {"team_id": "T0SANDBOX", "user_id": "U0BOT"},
            "users.info": {"user": user},
            "conversations.info": {"channel": channel},
        }
        return web.json_response({"ok": True, **bodies[request.match_info["method"]]})

    (port,) = free_ports(1)
    async with listening(f"127.0.0.1:{port}", [web.route("*", "/api/{method}", api)]):

        async def open_for(user_flags: Flags, channel_flags: Flags) -> Door:
            user.update(user_flags)
            channel.update(channel_flags)
            return await open_door(f"http://127.0.0.1:{port}/api/", "xoxb-0-any")

        yield open_for


ACCOUNTS = {
    "deleted": "deactivated",
    "is_bot": "a bot",
    "is_workflow_bot": "a workflow",
    "is_connector_bot": "a connector",
    "is_restricted": "a guest",
    "is_ultra_restricted": "a single-channel guest",
    "is_stranger": "of another workspace",
}


async def test_a_full_member_may_ask(door_for: DoorFor, gate: NotingGate) -> None:
    """The stand-in for Slack is one with which the others of this file could pass."""
    door = await door_for({}, {})
    assert (await door.ask()).words is None
    assert len(gate.asked) == 1


@pytest.mark.parametrize("flag", ACCOUNTS)
async def test_other_accounts_are_refused(door_for: DoorFor, gate: NotingGate, flag: str) -> None:
    """With the reason, before anything else is looked at."""
    door = await door_for({flag: True}, {})
    for text in ("health", "help", "nonsense"):
        reply = await door.ask(text)
        assert reply.words == (
            f"Your account is {ACCOUNTS[flag]}. Only full members of this workspace may ask."
        )
    assert gate.asked == []


async def test_somebody_of_another_team_is_refused(door_for: DoorFor, gate: NotingGate) -> None:
    """What Slack says of the account counts, not what the payload claims."""
    door = await door_for({"team_id": "T0ELSEWHERE"}, {})
    assert "another workspace" in ((await door.ask()).words or "")
    assert gate.asked == []


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared"])
async def test_a_channel_that_became_shared(door_for: DoorFor, gate: NotingGate, flag: str) -> None:
    """An allowed channel that others can read, or soon can, is refused."""
    door = await door_for({}, {flag: True})
    assert "shared with another workspace" in ((await door.ask()).words or "")
    assert gate.asked == []


async def test_a_channel_without_the_bot(door_for: DoorFor, gate: NotingGate) -> None:
    """An answer could not be posted there, so the asker learns what to do first."""
    door = await door_for({}, {"is_member": False})
    assert "/invite" in ((await door.ask()).words or "")
    assert gate.asked == []


FAILURES: dict[str, dict[str, object]] = {
    "slow": {"kind": "slow", "method": "users.info", "delay_s": 5},
    "failing": {"kind": "http_5xx", "method": "users.info"},
    "limiting": {"kind": "rate_limit", "method": "users.info", "retry_after": 30},
    "slow about channels": {"kind": "slow", "method": "conversations.info", "delay_s": 5},
    "away": {"kind": "outage"},
}


@pytest.mark.parametrize("case", FAILURES)
async def test_slack_does_not_say_who_asks(
    door: Door, workspace: Server, gate: NotingGate, case: str
) -> None:
    """Nobody is let in for want of an answer; the asker is told so within three seconds."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.post(f"{workspace.url}/control/faults", json=FAILURES[case]) as made,
    ):
        fault = (await made.json())["id"]
        reply = await door.ask()
        assert reply.seconds < 2.5
        assert (reply.words or "").startswith("Not accepted: Slack did not say ")
        assert "Nothing was started; ask again in a moment." in (reply.words or "")
        assert gate.asked == []
        async with session.delete(f"{workspace.url}/control/faults/{fault}"):
            assert (await door.ask()).words is None
    assert len(gate.asked) == 1


async def test_an_account_that_slack_does_not_know(door: Door, gate: NotingGate) -> None:
    """It is refused with words, not with a failure."""
    reply = await door.ask(user_id="U0NOBODY")
    assert (reply.words or "").startswith("Slack does not know who or where you are")
    assert gate.asked == []


async def test_the_bot_itself(door: Door, gate: NotingGate) -> None:
    """Even the workspace's own bot may not ask."""
    assert "is a bot" in ((await door.ask(user_id="U0QUORUMBOT")).words or "")
    assert gate.asked == []
