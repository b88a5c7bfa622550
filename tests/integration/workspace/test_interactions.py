"""Clicks, trigger ids, response URLs, modals and events."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.integration.workspace.harness import Connect, Control

BUTTONS = [
    {
        "type": "actions",
        "block_id": "rev-1",
        "elements": [
            {
                "type": "button",
                "action_id": "run.approve",
                "value": "req-1",
                "text": {"type": "plain_text", "text": "Approve"},
            },
            {
                "type": "static_select",
                "action_id": "pick",
                "options": [{"text": {"type": "plain_text", "text": "One"}, "value": "1"}],
            },
        ],
    }
]
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Replace"},
    "submit": {"type": "plain_text", "text": "Go"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b",
            "label": {"type": "plain_text", "text": "Why"},
            "element": {"type": "plain_text_input", "action_id": "a", "initial_value": "old"},
        }
    ],
}


@pytest.fixture
async def clicks(app: AsyncApp, connect: Connect) -> list[dict[str, Any]]:
    """The payloads of all clicks that reach the app, which acks each."""
    received: list[dict[str, Any]] = []

    @app.middleware
    async def note(body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        received.append(body)
        return await ack()

    await connect()
    return received


async def posted(client: AsyncWebClient, **more: Any) -> str:  # noqa: ANN401 - as the SDK has it
    answer = await client.chat_postMessage(channel="C0OPS", text="ask", blocks=BUTTONS, **more)
    ts: str = answer["ts"]
    return ts


async def test_a_click_carries_the_whole_message(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """The payload has person, team, container, message, the button's own value and a hook."""
    ts = await posted(client)
    outcome = await control.post("click", user="bob", channel="ops", ts=ts, action_id="run.approve")
    assert outcome["acked"] is True
    assert set(outcome) == {"acked", "ack_ms"}
    (payload,) = clicks
    assert payload["user"] == {
        "id": "U0BOB",
        "username": "bob",
        "name": "bob",
        "team_id": "T0SANDBOX",
    }
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0OPS",
        "is_ephemeral": False,
    }
    assert payload["channel"] == {"id": "C0OPS", "name": "ops"}
    assert payload["message"]["blocks"] == BUTTONS
    assert payload["trigger_id"]
    assert payload["response_url"].startswith(control.url)
    (action,) = payload["actions"]
    assert (action["value"], action["block_id"]) == ("req-1", "rev-1")
    assert action["text"]["text"] == "Approve"


async def test_clicks_can_be_forged(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """Value, block and button may be invented, the clicker foreign, the message missing."""
    ts = await posted(client)
    await control.post(
        "click",
        user="mallory",
        channel="ops",
        ts=ts,
        action_id="run.approve",
        value="req-2",
        block_id="rev-0",
    )
    await control.post("click", user="bob", channel="ops", ts=ts, action_id="run.gone", value="v")
    await control.post("click", user="bob", channel="random", ts="1.000000", action_id="run.undo")
    forged, absent, nowhere = clicks
    assert forged["user"]["team_id"] == "T0ELSEWHERE"
    assert forged["actions"][0]["value"] == "req-2"
    assert forged["actions"][0]["block_id"] == "rev-0"
    assert absent["actions"][0]["action_id"] == "run.gone"
    assert nowhere["message"]["ts"] == "1.000000"


async def test_a_select_carries_its_option(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """Choosing in a select sends the option that has the value."""
    ts = await posted(client)
    await control.post("click", user="bob", channel="ops", ts=ts, action_id="pick", value="1")
    assert clicks[0]["actions"][0]["selected_option"]["text"]["text"] == "One"


async def test_a_click_in_an_ephemeral_or_thread_says_so(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """An ephemeral's payload has no message; a reply's container names the thread."""
    whisper = await client.chat_postEphemeral(
        channel="C0OPS", user="U0BOB", text="x", blocks=BUTTONS
    )
    root = await posted(client)
    reply = await posted(client, thread_ts=root)
    for ts in (whisper["message_ts"], reply):
        await control.post("click", user="bob", channel="ops", ts=ts, action_id="run.approve")
    ephemeral, threaded = clicks
    assert ephemeral["container"]["is_ephemeral"] is True
    assert "message" not in ephemeral
    assert threaded["container"]["thread_ts"] == root


async def test_trigger_ids_last_three_seconds_and_one_use(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """A trigger id opens one modal within three seconds of workspace time."""
    for _ in range(2):
        await control.post("click", user="bob", channel="ops", ts="1.0", action_id="x")
    first, second = (payload["trigger_id"] for payload in clicks)
    await client.views_open(trigger_id=first, view=MODAL)
    await control.post("clock", advance_s=3.1)
    for trigger_id, error in [
        (second, "expired_trigger_id"),
        ("1.2.made-up", "invalid_trigger_id"),
    ]:
        with pytest.raises(SlackApiError, match=error):
            await client.views_open(trigger_id=trigger_id, view=MODAL)


async def test_a_trigger_id_is_spent_by_its_first_use(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """The second modal for one trigger id is refused."""
    await control.post("click", user="bob", channel="ops", ts="1.0", action_id="x")
    await client.views_open(trigger_id=clicks[0]["trigger_id"], view=MODAL)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=clicks[0]["trigger_id"], view=MODAL)


async def test_a_response_url_has_five_uses(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control, session: ClientSession
) -> None:
    """Five posts replace, delete or add messages; the sixth is refused."""
    ts = await posted(client)
    await control.post("click", user="bob", channel="ops", ts=ts, action_id="run.approve")
    url = clicks[0]["response_url"]

    async def respond(**body: object) -> tuple[int, str]:
        async with session.post(url, json=body) as response:
            return response.status, await response.text()

    assert await respond(text="only you") == (200, "ok")
    assert await respond(text="all", response_type="in_channel") == (200, "ok")
    assert await respond(text="new", replace_original=True) == (200, "ok")
    assert [m["text"] for m in await control.messages()] == ["new", "all"]
    assert [m["text"] for m in await control.messages(viewer="bob")] == ["new", "only you", "all"]
    assert await respond(delete_original=True) == (200, "ok")
    assert [m["text"] for m in await control.messages()] == ["all"]
    assert (await respond(blocks=[{"type": "nonsense"}]))[0] == 400
    status, words = await respond(text="sixth")
    assert (status, "used_url" in words) == (404, True)


async def test_a_response_url_lasts_thirty_minutes(
    clicks: list[dict[str, Any]], control: Control, session: ClientSession
) -> None:
    """After half an hour of workspace time the URL is refused."""
    await control.post("click", user="bob", channel="ops", ts="1.0", action_id="x")
    await control.post("clock", advance_s=30 * 60 + 1)
    async with session.post(clicks[0]["response_url"], json={"text": "late"}) as response:
        assert response.status == 404
        assert (await response.json())["error"] == "expired_url"


async def test_the_clock_moves_timestamps_forward_only(
    client: AsyncWebClient, control: Control
) -> None:
    """Advancing moves new timestamps by as much; going back is refused."""
    before = float((await client.chat_postMessage(channel="C0OPS", text="a"))["ts"])
    moved = await control.post("clock", advance_s=3_600)
    after = float((await client.chat_postMessage(channel="C0OPS", text="b"))["ts"])
    assert 3_600 <= after - before < 3_610
    assert abs(moved["now"] - after) < 10
    assert "at least 0" in await control.refused("clock", advance_s=-1)


async def opened(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> dict[str, Any]:
    """Open the modal for bob."""
    await control.post("click", user="bob", channel="ops", ts="1.0", action_id="x")
    answer = await client.views_open(trigger_id=clicks[-1]["trigger_id"], view=MODAL)
    view: dict[str, Any] = answer["view"]
    return view


async def test_a_submitted_modal_carries_its_values_and_closes(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """Untouched inputs keep their initial value, typed ones theirs; an empty ack closes."""
    view = await opened(clicks, client, control)
    assert [m["id"] for m in (await control.get("views", user="bob"))["modals"]] == [view["id"]]
    await control.post("submit", user="bob", view_id=view["id"], values={"x": {"y": "forged"}})
    state = clicks[-1]["view"]["state"]["values"]
    assert state["b"]["a"] == {"type": "plain_text_input", "value": "old"}
    assert state["x"]["y"] == {"type": "plain_text_input", "value": "forged"}
    assert (await control.get("views", user="bob"))["modals"] == []
    assert "not an open view" in await control.refused(
        "submit", user="bob", view_id=view["id"], values={}
    )


async def test_errors_keep_a_modal_open(
    app: AsyncApp, connect: Connect, client: AsyncWebClient, control: Control
) -> None:
    """`response_action: errors` leaves the modal and comes back as the response."""
    triggers: list[str] = []

    @app.middleware
    async def answer(body: dict[str, Any], ack: AsyncAck) -> BoltResponse:
        triggers.append(body["trigger_id"])
        if body["type"] == "view_submission":
            return await ack(response_action="errors", errors={"b": "say more"})
        return await ack()

    await connect()
    await control.post("click", user="bob", channel="ops", ts="1.0", action_id="x")
    view = (await client.views_open(trigger_id=triggers[0], view=MODAL))["view"]
    outcome = await control.post("submit", user="bob", view_id=view["id"], values={"b": {"a": "?"}})
    assert outcome["response"] == {"response_action": "errors", "errors": {"b": "say more"}}
    assert len((await control.get("views", user="bob"))["modals"]) == 1


async def test_views_guard_their_hash(
    clicks: list[dict[str, Any]], client: AsyncWebClient, control: Control
) -> None:
    """An update with an outdated hash is refused, in modals and on the Home tab."""
    view = await opened(clicks, client, control)
    await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=MODAL)
    home = {"type": "home", "blocks": BUTTONS}
    published = (await client.views_publish(user_id="U0BOB", view=home))["view"]
    await client.views_publish(user_id="U0BOB", view=home, hash=published["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_publish(user_id="U0BOB", view=home, hash=published["hash"])
    assert (await control.get("views", user="bob"))["home"]["id"] == published["id"]
    await control.post("click", user="bob", view_id=published["id"], action_id="run.approve")
    assert clicks[-1]["container"] == {"type": "view", "view_id": published["id"]}
    assert clicks[-1]["actions"][0]["value"] == "req-1"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"title": {"type": "plain_text", "text": "x" * 25}}, "invalid_blocks"),
        ({"submit": None}, "invalid_blocks"),
        ({"type": "home"}, "invalid_arguments"),
        ({"blocks": [{"type": "markdown", "text": "x"}]}, "invalid_blocks"),
    ],
)
async def test_bad_views_are_refused(
    clicks: list[dict[str, Any]],
    client: AsyncWebClient,
    control: Control,
    change: dict[str, object],
    error: str,
) -> None:
    """Titles, submit buttons, types and blocks of views have their own limits."""
    await control.post("click", user="bob", channel="ops", ts="1.0", action_id="x")
    with pytest.raises(SlackApiError, match=error):
        await client.views_open(trigger_id=clicks[0]["trigger_id"], view=MODAL | change)


async def test_events_are_delivered_and_typed_words_appear(
    clicks: list[dict[str, Any]], control: Control
) -> None:
    """A mention reaches the app with ids for names, and stands in the channel."""
    outcome = await control.post(
        "event", type="app_mention", user="bob", channel="ops", text="<@U0QUORUMBOT> hi"
    )
    assert outcome["acked"] is True
    event = clicks[0]["event"]
    assert (event["user"], event["channel"]) == ("U0BOB", "C0OPS")
    (message,) = await control.messages()
    assert (message["text"], message["ts"]) == ("<@U0QUORUMBOT> hi", event["ts"])
