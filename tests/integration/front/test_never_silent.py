"""Whatever happens in the front, its asker reads words, and it holds no key to any cluster."""

import asyncio
import sys

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from bot.sandbox.workspace.server import Credentials, Server
from procedures.model.errors import InDoubt, Permanent, Retryable
from tests.integration.front.conftest import MakeFront
from tests.integration.front.harness import UNEXPECTED, Door, NotingGate

SURPRISES = [RuntimeError("boom"), KeyError("x"), Permanent("misconfigured"), TimeoutError()]


@pytest.mark.parametrize("surprise", SURPRISES, ids=lambda error: type(error).__name__)
async def test_a_surprise_becomes_words(door: Door, gate: NotingGate, surprise: Exception) -> None:
    """Without the details, which are in the log; the next command is handled."""
    gate.fault = surprise
    reply = await door.ask()
    assert (reply.status, reply.words) == (200, UNEXPECTED)
    gate.fault = None
    assert (await door.ask()).words is None


async def test_a_store_that_does_not_answer_becomes_words(door: Door, gate: NotingGate) -> None:
    """The asker learns why, and that nothing was started."""
    gate.fault = Retryable("The queue did not answer within 1.5 s.")
    assert (await door.ask()).words == (
        "Not accepted: The queue did not answer within 1.5 s. "
        "Nothing was started; ask again in a moment."
    )


async def test_a_store_whose_reply_is_lost_becomes_words(door: Door, gate: NotingGate) -> None:
    """Nobody is told for certain what nobody knows."""
    gate.fault = InDoubt("The queue did not answer within 1.5 s.")
    assert (await door.ask()).words == (
        "Not accepted: The queue did not answer within 1.5 s. "
        "Nothing was started, unless a message about it appears here; ask again in a moment."
    )


async def test_a_surprise_becomes_words_in_socket_mode_too(
    make_front: MakeFront, workspace: Server, credentials: Credentials, gate: NotingGate
) -> None:
    """The words are in the acknowledgement, only for the asker."""
    gate.fault = RuntimeError("boom")
    front = await make_front(f"{workspace.url}/api/", credentials.bot_token)
    handler = AsyncSocketModeHandler(front.app, credentials.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    body = {"user": "alice", "channel": "ops", "command": "/etcd", "text": "health"}
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{workspace.url}/control/command", json=body) as answer,
        ):
            ack = await answer.json()
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
    assert ack["acked"] is True
    assert ack["response"] == {"response_type": "ephemeral", "text": UNEXPECTED}


@pytest.mark.parametrize("text", ["&lt;!channel&gt; &amp;lt;", "nope&gt;&lt;b&gt;", "*b* `c`"])
async def test_what_is_repeated_to_the_asker_is_escaped(door: Door, text: str) -> None:
    """No typed text comes back as a mention or a link."""
    words = (await door.ask(f"health {text}")).words or ""
    assert words
    assert "<" not in words
    assert ">" not in words


async def test_the_front_cannot_reach_clusters() -> None:
    """Its process loads no library with which a cluster or a host is reached."""
    code = (
        "import sys, bot.main, bot.serving\n"
        "heavy = {'grpc', 'kubernetes', 'asyncssh', 'bot.targets.etcd.look', 'bot.worker'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert (process.returncode, output.decode().strip()) == (0, "[]")
