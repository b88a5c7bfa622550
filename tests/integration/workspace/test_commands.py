"""Slash commands, from the control API to the app and back."""

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from tests.integration.workspace.harness import Connect, Control


def listen(app: AsyncApp) -> list[dict[str, Any]]:
    """Let the app echo `/etcd`; return what it receives."""
    received: list[dict[str, Any]] = []

    @app.command("/etcd")
    async def answer(ack: AsyncAck, command: dict[str, Any]) -> None:
        received.append(command)
        await ack(f"heard {command['text']}")

    return received


async def test_text_of_an_ack_is_an_ephemeral_for_its_user_only(
    app: AsyncApp, connect: Connect, control: Control
) -> None:
    """What an ack says is seen by the person who typed, in that channel, and by nobody else."""
    listen(app)
    await connect()
    outcome = await control.post("command", user="alice", channel="ops", command="/etcd", text="hi")
    assert outcome["acked"] is True
    assert outcome["ack_ms"] < 1_000
    assert outcome["response"] == {"text": "heard hi"}
    (seen,) = await control.messages(viewer="alice")
    assert seen["text"] == "heard hi"
    assert seen["is_ephemeral"] is True
    assert await control.messages(viewer="bob") == []
    assert await control.messages() == []


async def test_an_ack_in_channel_is_seen_by_everybody(
    app: AsyncApp, connect: Connect, control: Control
) -> None:
    """`response_type: in_channel` makes the acknowledgement's text an ordinary message."""

    @app.command("/etcd")
    async def answer(ack: AsyncAck) -> None:
        await ack("for all", response_type="in_channel")

    await connect()
    await control.post("command", user="alice", channel="ops", command="/etcd", text="hi")
    (seen,) = await control.messages()
    assert seen["text"] == "for all"
    assert "is_ephemeral" not in seen


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("ask @alice in #ops", "ask <@U0ALICE|alice> in <#C0OPS|ops>"),
        ("@etcd-approvers @nobody", "<!subteam^S0APPROVERS|@etcd-approvers> @nobody"),
        ("fix x http://10.0.0.1:2380, now", "fix x <http://10.0.0.1:2380>, now"),
        ("http://h/?a=1&b=2", "<http://h/?a=1&amp;b=2>"),
        ("<!channel> <@U0BOB> <#C0OPS|ops>", "<!channel> <@U0BOB> <#C0OPS|ops>"),
        ("<http://evil|good> <b>", "<http://evil|good> &lt;b&gt;"),
        ('--reason "it\'s late"', '--reason "it\'s late"'),
    ],
)
async def test_typed_text_arrives_escaped(
    app: AsyncApp, connect: Connect, control: Control, typed: str, sent: str
) -> None:
    """Words are escaped as Slack does, while tokens already in its form pass unchanged."""
    received = listen(app)
    await connect()
    await control.post("command", user="alice", channel="ops", command="/etcd", text=typed)
    assert received[0]["text"] == sent


async def test_payload_names_person_channel_and_foreign_team(
    app: AsyncApp, connect: Connect, control: Control
) -> None:
    """A slash command of a Slack Connect user carries that user's own team."""
    received = listen(app)
    await connect()
    await control.post(
        "command", user="mallory", channel="shared-ext", command="/etcd", text="health"
    )
    payload = received[0]
    assert payload["user_id"] == "U0MALLORY"
    assert payload["team_id"] == "T0ELSEWHERE"
    assert payload["channel_id"] == "C0SHAREDEXT"
    assert payload["channel_name"] == "shared-ext"


async def test_no_ack_in_three_seconds_is_told_to_the_user_only(
    app: AsyncApp, connect: Connect, control: Control
) -> None:
    """Without an ack the person sees Slackbot's timeout, and a late ack changes nothing."""

    @app.command("/etcd")
    async def answer(ack: AsyncAck) -> None:
        await asyncio.sleep(3.3)
        await ack("too late")

    await connect()
    outcome = await control.post("command", user="bob", channel="ops", command="/etcd", text="")
    assert outcome["acked"] is False
    assert outcome["ack_ms"] > 2_900
    assert outcome["response"] is None
    await asyncio.sleep(0.6)
    (seen,) = await control.messages(viewer="bob")
    assert seen["text"] == '/etcd failed with the error "operation_timeout"'
    assert await control.messages(viewer="alice") == []


async def test_no_socket_at_all_fails_at_once(control: Control) -> None:
    """Without any connection the answer is there immediately and says so to the person."""
    outcome = await control.post("command", user="bob", channel="ops", command="/etcd", text="")
    assert outcome["acked"] is False
    assert outcome["ack_ms"] < 2_900  # not when Slack would have given up
    (seen,) = await control.messages(viewer="bob")
    assert "dispatch_failed" in seen["text"]


async def test_invalid_blocks_in_an_ack_are_not_shown(
    app: AsyncApp, connect: Connect, control: Control
) -> None:
    """An acknowledgement with broken blocks becomes an error notice instead of a message."""

    @app.command("/etcd")
    async def answer(ack: AsyncAck) -> None:
        await ack(text="x", blocks=[{"type": "nonsense"}])

    await connect()
    await control.post("command", user="bob", channel="ops", command="/etcd", text="")
    (seen,) = await control.messages(viewer="bob")
    assert "invalid_blocks" in seen["text"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"user": "eve"}, "alice"),
        ({"channel": "nowhere"}, "etcd-alerts"),
        ({"command": "/rm"}, "/etcd"),
        ({"text": 5}, "`text` must be a text"),
    ],
)
async def test_bad_requests_say_what_would_be_right(
    control: Control, change: dict[str, object], word: str
) -> None:
    """A wrong handle, channel, command or type is refused with the allowed ones."""
    body = {"user": "alice", "channel": "ops", "command": "/etcd", "text": "x"} | change
    assert word in await control.refused("command", **body)


async def test_no_command_of_many_is_lost(
    app: AsyncApp, connect: Connect, control: Control
) -> None:
    """At fifty commands a second each is acked before Slack gives up."""
    listen(app)
    await connect()
    await connect()

    async def one(number: int) -> None:
        await asyncio.sleep(number / 50)
        outcome = await control.post(
            "command", user="alice", channel="ops", command="/etcd", text=str(number)
        )
        assert outcome["acked"] is True

    await asyncio.gather(*(one(number) for number in range(150)))
