"""The Web API: who may call, with which arguments, and how often."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.workspace.server import Credentials, Server
from tests.integration.workspace.harness import Control


async def error_of(client: AsyncWebClient, method: str, **args: object) -> str:
    """Return the error with which a call is refused."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=args)
    error: str = caught.value.response["error"]
    return error


@pytest.mark.parametrize(
    ("token", "error"), [("", "not_authed"), ("xoxb-stolen-from-elsewhere", "invalid_auth")]
)
async def test_only_issued_tokens_are_accepted(
    server: Server, session: aiohttp.ClientSession, token: str, error: str
) -> None:
    """A missing or foreign token is refused by name."""
    client = AsyncWebClient(token=token, base_url=f"{server.url}/api/", session=session)
    assert await error_of(client, "auth.test") == error


async def test_tokens_are_not_interchangeable(
    client: AsyncWebClient, credentials: Credentials
) -> None:
    """The bot's token opens no socket, and the app's token posts no message."""
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=credentials.bot_token)
    client.token = credentials.app_token
    assert await error_of(client, "chat.postMessage", channel="C0OPS", text="x") == (
        "not_allowed_token_type"
    )


async def test_auth_test_tells_the_scopes(client: AsyncWebClient) -> None:
    """Bolt reads the granted scopes from a header of `auth.test`."""
    response = await client.auth_test()
    assert response["team_id"] == "T0SANDBOX"
    assert response["user_id"] == "U0QUORUMBOT"
    assert "chat:write" in response.headers["x-oauth-scopes"].split(",")


async def test_a_missing_scope_is_named(client: AsyncWebClient, control: Control) -> None:
    """A call outside the granted scopes says which one it needs and which there are."""
    with pytest.raises(SlackApiError) as caught:
        await client.conversations_history(channel="C0OPS")
    assert caught.value.response["error"] == "missing_scope"
    assert "channels:history" in caught.value.response["needed"]
    assert "chat:write" in caught.value.response["provided"]
    await control.post("app", scopes=["channels:history"])
    assert (await client.conversations_history(channel="C0OPS"))["messages"] == []
    assert await error_of(client, "chat.postMessage", channel="C0OPS", text="x") == "missing_scope"


async def test_an_unknown_method_is_loud(
    client: AsyncWebClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What the sandbox lacks is never answered with a false success, and is logged."""
    assert await error_of(client, "bookmarks.add", channel_id="C0OPS") == "unknown_method"
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "bookmarks.add" in record.getMessage()


async def test_a_post_is_made_once_for_each_client_msg_id(client: AsyncWebClient) -> None:
    """A repeated one answers with the message that is there; for a deleted one it says so."""
    first = await client.chat_postMessage(channel="C0OPS", text="one", client_msg_id="a")
    again = await client.chat_postMessage(channel="C0OPS", text="two", client_msg_id="a")
    other = await client.chat_postMessage(channel="C0OPS", text="two", client_msg_id="b")
    assert (again["ts"], again["message"]["text"]) == (first["ts"], "one")
    assert other["ts"] != first["ts"]
    await client.chat_delete(channel="C0OPS", ts=str(first["ts"]))
    error = await error_of(
        client, "chat.postMessage", channel="C0OPS", text="one", client_msg_id="a"
    )
    assert error == "duplicate_message_not_found"


async def test_arguments_may_come_in_any_form(client: AsyncWebClient) -> None:
    """Query, form and JSON are the same to every method."""
    arguments = {"channel": "C0OPS", "text": "hello"}
    for answer in (
        await client.api_call("chat.postMessage", params=arguments),
        await client.api_call("chat.postMessage", data=arguments),
        await client.api_call("chat.postMessage", json=arguments),
    ):
        assert answer["message"]["text"] == "hello"


async def test_people_are_who_they_are(client: AsyncWebClient) -> None:
    """Guests, strangers and bots can be told apart by their flags and teams."""
    guest = (await client.users_info(user="U0GUEST"))["user"]
    assert guest["is_ultra_restricted"] is True
    assert guest["is_restricted"] is True
    stranger = (await client.users_info(user="U0MALLORY"))["user"]
    assert (stranger["team_id"], stranger["is_stranger"]) == ("T0ELSEWHERE", True)
    assert (await client.users_info(user="U0QUORUMBOT"))["user"]["is_bot"] is True
    assert await error_of(client, "users.info", user="U0NOBODY") == "user_not_found"
    listed = [user["name"] for user in (await client.users_list())["members"]]
    assert listed == ["alice", "bob", "carol", "dave", "guest", "quorumbot"]


async def test_groups_and_their_members(client: AsyncWebClient) -> None:
    """The group of approvers holds bob and carol."""
    (group,) = (await client.usergroups_list())["usergroups"]
    assert group["handle"] == "etcd-approvers"
    members = await client.usergroups_users_list(usergroup=group["id"])
    assert members["users"] == ["U0BOB", "U0CAROL"]


async def test_channels_and_their_members(client: AsyncWebClient) -> None:
    """Channels say whether the bot is in them and whether they are shared, page by page."""
    first = await client.conversations_list(limit=3)
    second = await client.conversations_list(
        limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    channels = {c["name"]: c for c in [*first["channels"], *second["channels"]]}
    assert list(channels) == ["ops", "etcd-alerts", "random", "shared-ext"]
    assert second["response_metadata"]["next_cursor"] == ""
    assert [c["is_member"] for c in channels.values()] == [True, True, False, True]
    info = (await client.conversations_info(channel="C0SHAREDEXT"))["channel"]
    assert info["is_ext_shared"] is True
    members = (await client.conversations_members(channel="C0SHAREDEXT"))["members"]
    assert members == ["U0ALICE", "U0MALLORY", "U0QUORUMBOT"]
    opened = await client.conversations_open(users="U0BOB", return_im=True)
    assert opened["channel"]["is_im"] is True


async def test_a_tier_ends_with_429(client: AsyncWebClient) -> None:
    """Beyond a method's calls per minute the answer is 429 and says when to come back."""
    for _ in range(20):
        await client.usergroups_list()
    with pytest.raises(SlackApiError) as caught:
        await client.usergroups_list()
    assert caught.value.response.status_code == 429
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 60
    assert (await client.usergroups_users_list(usergroup="S0APPROVERS"))["ok"] is True


async def test_posting_is_one_a_second_per_channel(client: AsyncWebClient) -> None:
    """A short burst passes, then the channel must wait a second; other channels need not."""
    for number in range(5):
        await client.chat_postMessage(channel="C0OPS", text=str(number))
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C0OPS", text="too fast")
    assert caught.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="C0ETCDALERTS", text="fine")


async def test_every_call_is_recorded_without_secrets(
    client: AsyncWebClient, control: Control, credentials: Credentials
) -> None:
    """Traffic lists calls in order with their arguments, and no token or socket ticket."""
    await client.api_call("auth.test", params={"token": credentials.bot_token})
    await client.apps_connections_open(app_token=credentials.app_token)
    await error_of(client, "chat.postMessage", channel="C0RANDOM", text="x")
    entries = await control.get_list("traffic")
    assert [entry["n"] for entry in entries] == [1, 2, 3]
    assert entries[2]["args"] == {"channel": "C0RANDOM", "text": "x"}
    assert entries[2]["response"] == {"ok": False, "error": "not_in_channel"}
    assert all(secret not in str(entries) for secret in ("ticket=", credentials.bot_token))
    assert [e["n"] for e in await control.get_list("traffic", since="1", method="auth.test")] == []
    assert len(await control.get_list("traffic", since="2")) == 1
