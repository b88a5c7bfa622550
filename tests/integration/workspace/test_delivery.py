"""Delivery to the app: several sockets, lost and doubled payloads, outages, signed HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import ClientSession, web
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.delivery import socket_mode
from bot.sandbox.workspace.server import Credentials, Server
from tests.integration.workspace.harness import Connect, Control, until


@pytest.fixture
def heard(app: AsyncApp) -> list[str]:
    """The texts of the slash commands that reached the app, which answers each."""
    texts: list[str] = []

    @app.command("/etcd")
    async def answer(ack: AsyncAck, command: dict[str, Any]) -> None:
        texts.append(command["text"])
        await ack("heard")

    return texts


async def run(control: Control, text: str = "x") -> dict[str, Any]:
    return await control.post("command", user="alice", channel="ops", command="/etcd", text=text)


async def test_each_payload_goes_to_one_of_several_connections(
    server: Server, connect: Connect, control: Control, heard: list[str]
) -> None:
    """Two connections share the payloads: each is delivered once."""
    await connect()
    await connect()
    await until(lambda: server.socket_connections == 2)
    for number in range(6):
        assert (await run(control, str(number)))["acked"] is True
    assert heard == [str(number) for number in range(6)]


async def test_a_socket_ticket_opens_one_connection(
    server: Server, client: AsyncWebClient, credentials: Credentials, session: ClientSession
) -> None:
    """The address from `apps.connections.open` greets once and is then spent."""
    opened = await client.apps_connections_open(app_token=credentials.app_token)
    async with session.ws_connect(opened["url"]) as socket:
        hello = await socket.receive_json()
        assert hello["type"] == "hello"
        assert hello["connection_info"] == {"app_id": "A0QUORUMBOT"}
        await socket.ping(b"sdk-ping-pong:1")
    async with session.get(opened["url"].replace("ws://", "http://")) as response:
        assert response.status == 403
    await until(lambda: server.socket_connections == 0)


async def test_an_ack_may_arrive_on_another_connection(
    client: AsyncWebClient, credentials: Credentials, session: ClientSession, control: Control
) -> None:
    """Acks are matched by envelope id, whichever connection brings them, and only once."""
    urls = [
        (await client.apps_connections_open(app_token=credentials.app_token))["url"]
        for _ in range(2)
    ]
    async with session.ws_connect(urls[0]) as first, session.ws_connect(urls[1]) as second:
        await first.receive_json()
        await second.receive_json()
        running = asyncio.create_task(run(control))
        receiving = {asyncio.create_task(s.receive_json()): s for s in (first, second)}
        (got,), (waiting,) = await asyncio.wait(receiving, return_when="FIRST_COMPLETED")
        envelope = got.result()
        assert envelope["type"] == "slash_commands"
        assert envelope["accepts_response_payload"] is True
        ack = {"envelope_id": envelope["envelope_id"], "payload": {"text": "here"}}
        other = receiving[waiting]
        await other.send_json(ack)
        await other.send_json(ack | {"payload": {"text": "again"}})
        assert (await running)["response"] == {"text": "here"}
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert [m["text"] for m in await control.messages(viewer="alice")] == ["here"]


async def test_a_duplicate_posts_one_answer(
    connect: Connect, control: Control, heard: list[str]
) -> None:
    """The same envelope delivered twice runs the app twice, yet shows one answer."""
    await connect()
    await control.post("faults", kind="duplicate", count=1)
    assert (await run(control))["acked"] is True
    await until(lambda: len(heard) == 2)
    assert len(await control.messages(viewer="alice")) == 1
    await run(control)
    assert len(heard) == 3


async def test_a_duplicate_is_marked_as_a_retry(
    client: AsyncWebClient, credentials: Credentials, session: ClientSession, control: Control
) -> None:
    """The second delivery has the same envelope id and says that it is a retry."""
    opened = await client.apps_connections_open(app_token=credentials.app_token)
    await control.post("faults", kind="duplicate", count=1)
    async with session.ws_connect(opened["url"]) as socket:
        await socket.receive_json()
        running = asyncio.create_task(run(control))
        first, second = await socket.receive_json(), await socket.receive_json()
        assert second["envelope_id"] == first["envelope_id"]
        assert "retry_attempt" not in first
        assert second["retry_attempt"] == 1
        await socket.send_json({"envelope_id": first["envelope_id"]})
        assert (await running)["response"] is None


async def test_a_dropped_ack_counts_as_none(
    connect: Connect, control: Control, heard: list[str]
) -> None:
    """The app did answer, but the workspace lost it: the person sees a timeout."""
    await connect()
    await control.post("faults", kind="drop_ack", count=1)
    assert (await run(control))["acked"] is False
    assert heard == ["x"]
    (seen,) = await control.messages(viewer="alice")
    assert "operation_timeout" in seen["text"]
    assert (await run(control))["acked"] is True


async def test_the_app_reconnects_after_a_disconnect(
    server: Server, connect: Connect, control: Control, heard: list[str]
) -> None:
    """A refresh closes every connection, and the unmodified client comes back by itself."""
    await connect()
    await connect()
    await until(lambda: server.socket_connections == 2)
    await control.post("faults", kind="disconnect")
    await until(lambda: server.socket_connections == 2)
    assert (await run(control))["acked"] is True
    opens = await control.get_list("traffic", method="apps.connections.open")
    assert len(opens) == 4
    assert heard == ["x"]


async def test_connections_are_short_while_disconnects_last(
    server: Server, connect: Connect, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that opens while the fault is in force is refreshed soon, then all is calm."""
    monkeypatch.setattr(socket_mode, "SHORT_LIFE", 0.1)
    await control.post("faults", kind="disconnect", count=2)
    await connect()
    # Looked at from inside: a connection is back sooner than its absence could be seen.
    traffic = server._workspace.traffic
    await until(lambda: len(traffic.since(0, "apps.connections.open")) == 3)
    await until(lambda: server.socket_connections == 1)
    assert (await control.get("state"))["faults"] == []
    await asyncio.sleep(0.3)
    assert len(traffic.since(0, "apps.connections.open")) == 3


async def test_an_outage_closes_everything_until_it_ends(
    server: Server,
    connect: Connect,
    control: Control,
    client: AsyncWebClient,
    heard: list[str],
) -> None:
    """During an outage calls fail with 503 and sockets are closed; afterwards the app is back."""
    await connect()
    fault = await control.post("faults", kind="outage")
    assert [f["kind"] for f in (await control.get("state"))["faults"]] == ["outage"]
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.status_code == 503
    assert (await run(control))["acked"] is False
    await control.end_fault(fault["id"])
    await until(lambda: server.socket_connections == 1)
    assert (await run(control, "back"))["acked"] is True
    assert heard == ["back"]


async def test_faults_of_calls(client: AsyncWebClient, control: Control) -> None:
    """Rate limits, server errors and slowness hit the named method for the given count."""
    await control.post(
        "faults", kind="rate_limit", method="chat.postMessage", retry_after=7, count=1
    )
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="x")
    assert caught.value.response.headers["Retry-After"] == "7"
    await control.post("faults", kind="http_5xx", count=1, status=500)
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="x")
    assert caught.value.response.status_code == 500
    assert await control.messages() == []
    await control.post("faults", kind="http_5xx", count=1, after=True)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C0OPS", text="took effect")
    assert len(await control.messages()) == 1
    await control.post("faults", kind="slow", method="auth.test", delay_s=0.2, count=1)
    await client.auth_test()
    await client.auth_test()
    slow, quick = await control.get_list("traffic", method="auth.test")
    assert slow["ms"] >= 200 > quick["ms"]
    assert (await control.get("state"))["faults"] == []


async def test_a_fault_ends_by_itself(control: Control, client: AsyncWebClient) -> None:
    """A fault with `seconds` is over after that time."""
    await control.post("faults", kind="http_5xx", seconds=0.2)
    with pytest.raises(SlackApiError):
        await client.auth_test()
    await asyncio.sleep(0.25)
    assert (await client.auth_test())["ok"] is True
    assert "must be one of" in await control.refused("faults", kind="plague")
    assert "`delay_s`" in await control.refused("faults", kind="slow")
    assert "`count`" in await control.refused("faults", kind="drop_ack", count=0)


class Receiver:
    """A Request URL that notes what arrives and answers `answer`."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answer = web.json_response({"text": "by http"})

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(
            body=self.answer.body, status=self.answer.status, content_type="application/json"
        )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/slack/events", receiver.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield receiver
    await runner.cleanup()


async def test_payloads_over_http_are_signed(
    receiver: Receiver, control: Control, credentials: Credentials
) -> None:
    """A slash command, a click and an event reach the Request URL with valid signatures."""
    await control.post("app", request_url=receiver.url)
    assert (await run(control, "a & b"))["response"] == {"text": "by http"}
    await control.post("click", user="bob", channel="ops", ts="1.0", action_id="run.approve")
    await control.post("event", type="app_home_opened", user="bob")
    verifier = SignatureVerifier(credentials.signing_secret)
    assert all(verifier.is_valid_request(body, headers) for headers, body in receiver.requests)
    slash, click, event = [body.decode() for _, body in receiver.requests]
    assert parse_qs(slash)["text"] == ["a &amp; b"]
    assert json.loads(parse_qs(click)["payload"][0])["type"] == "block_actions"
    assert json.loads(event)["event"]["type"] == "app_home_opened"
    (seen,) = await control.messages(viewer="alice")
    assert seen["text"] == "by http"
    await control.post("app", request_url=None)
    assert (await run(control))["acked"] is False


async def test_http_retries_and_refusals(receiver: Receiver, control: Control) -> None:
    """A doubled request says so in its headers; an answer other than 200 is no ack."""
    await control.post("app", request_url=receiver.url)
    await control.post("faults", kind="duplicate", count=1)
    assert (await run(control))["acked"] is True
    await until(lambda: len(receiver.requests) == 2)
    assert "X-Slack-Retry-Num" not in receiver.requests[0][0]
    assert receiver.requests[1][0]["X-Slack-Retry-Num"] == "1"
    receiver.answer = web.Response(status=500)
    assert (await run(control))["acked"] is False
    assert "request_url" in await control.refused("app", request_url="ftp://x")


async def test_an_unacked_event_comes_again(receiver: Receiver, control: Control) -> None:
    """An event without ack is retried at once, marked as a retry of the same event."""
    await control.post("app", request_url=receiver.url)
    receiver.answer = web.Response(status=500)
    outcome = await control.post("event", type="app_mention", user="bob", channel="ops", text="hi")
    assert outcome["acked"] is False
    await until(lambda: len(receiver.requests) == 2)
    (_, first), (headers, second) = receiver.requests
    assert headers["X-Slack-Retry-Num"] == "1"
    assert json.loads(first)["event_id"] == json.loads(second)["event_id"]
