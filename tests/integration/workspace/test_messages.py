"""Messages: posting, changing, removing, threads, reactions, limits."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.integration.workspace.harness import Control

METADATA = {"event_type": "quorumbot_run", "event_payload": {"run_id": "r-1"}}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}


async def refused(client: AsyncWebClient, method: str, **args: object) -> dict[str, Any]:
    """Return the answer of a call that is refused."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json={"channel": "C0OPS", **args})
    answer: dict[str, Any] = caught.value.response.data
    return answer


async def test_a_posted_message_is_kept_whole(client: AsyncWebClient, control: Control) -> None:
    """Text, blocks with ids, metadata and the app's identity are all in the wire form."""
    posted = await client.chat_postMessage(
        channel="C0OPS", text="words", blocks=[SECTION], metadata=METADATA
    )
    (message,) = await control.messages()
    assert message == posted["message"]
    assert message["ts"] == posted["ts"]
    assert message["text"] == "words"
    assert message["metadata"] == METADATA
    assert message["blocks"][0]["block_id"]
    assert (message["user"], message["app_id"]) == ("U0QUORUMBOT", "A0QUORUMBOT")


async def test_the_bot_posts_only_where_it_is_a_member(client: AsyncWebClient) -> None:
    """`random` lacks the bot; an unknown channel is another error; a person's id is a DM."""
    assert (await refused(client, "chat.postMessage", channel="C0RANDOM", text="x"))["error"] == (
        "not_in_channel"
    )
    assert (await refused(client, "chat.postMessage", channel="C0NOWHERE", text="x"))["error"] == (
        "channel_not_found"
    )
    assert (await client.chat_postMessage(channel="U0BOB", text="x"))["channel"] == "D0BOB"


async def test_timestamps_rise(client: AsyncWebClient) -> None:
    """Each message has a later timestamp than the one before."""
    stamps = [(await client.chat_postMessage(channel="C0OPS", text=str(n)))["ts"] for n in range(4)]
    assert stamps == sorted(set(stamps))


async def test_update_with_text_alone_removes_blocks(client: AsyncWebClient) -> None:
    """Text without blocks drops the blocks and marks the message as edited; metadata stays."""
    ts = (
        await client.chat_postMessage(
            channel="C0OPS", text="a", blocks=[SECTION], metadata=METADATA
        )
    )["ts"]
    message = (await client.chat_update(channel="C0OPS", ts=ts, text="b"))["message"]
    assert "blocks" not in message
    assert message["edited"]["user"] == "U0QUORUMBOT"
    assert message["metadata"] == METADATA


async def test_update_with_blocks_sets_no_edited_flag(client: AsyncWebClient) -> None:
    """Blocks replace blocks without a trace, and new metadata replaces the old."""
    ts = (await client.chat_postMessage(channel="C0OPS", text="a", metadata=METADATA))["ts"]
    changed = METADATA | {"event_payload": {"run_id": "r-2"}}
    message = (
        await client.chat_update(
            channel="C0OPS", ts=ts, text="b", blocks=[SECTION], metadata=changed
        )
    )["message"]
    assert "edited" not in message
    assert message["text"] == "b"
    assert message["metadata"] == changed


async def test_what_cannot_be_updated(client: AsyncWebClient, control: Control) -> None:
    """Ephemerals, other people's and missing messages and long texts are refused by name."""
    whisper = await client.chat_postEphemeral(channel="C0OPS", user="U0ALICE", text="psst")
    await control.post("event", type="message", user="bob", channel="ops", text="mine")
    theirs = (await control.messages())[0]["ts"]
    own = (await client.chat_postMessage(channel="C0OPS", text="a"))["ts"]
    for ts, text, error in [
        (whisper["message_ts"], "x", "message_not_found"),
        ("1.000000", "x", "message_not_found"),
        (theirs, "x", "cant_update_message"),
        (own, "x" * 4_001, "msg_too_long"),
        (own, "", "no_text"),
    ]:
        assert (await refused(client, "chat.update", ts=ts, text=text))["error"] == error
    assert (await refused(client, "chat.delete", ts=theirs))["error"] == "cant_delete_message"


async def test_a_deleted_message_is_gone(client: AsyncWebClient, control: Control) -> None:
    """After `chat.delete` nothing is left to see or to update."""
    ts = (await client.chat_postMessage(channel="C0OPS", text="a"))["ts"]
    await client.chat_delete(channel="C0OPS", ts=ts)
    assert await control.messages() == []
    assert (await refused(client, "chat.update", ts=ts, text="b"))["error"] == "message_not_found"


async def test_an_ephemeral_is_for_one_member(client: AsyncWebClient, control: Control) -> None:
    """Only its addressee sees it, who must be in the channel."""
    await client.chat_postEphemeral(channel="C0OPS", user="U0ALICE", text="psst")
    (seen,) = await control.messages(viewer="alice")
    assert seen["is_ephemeral"] is True
    assert await control.messages(viewer="carol") == []
    answer = await refused(client, "chat.postEphemeral", user="U0MALLORY", text="psst")
    assert answer["error"] == "user_not_in_channel"


async def test_threads_count_their_replies(client: AsyncWebClient, control: Control) -> None:
    """Replies are below their parent only, broadcasts in both places, and roots must exist."""
    ts = (await client.chat_postMessage(channel="C0OPS", text="root"))["ts"]
    await client.chat_postMessage(channel="C0OPS", text="one", thread_ts=ts)
    await client.chat_postMessage(channel="C0OPS", text="two", thread_ts=ts, reply_broadcast=True)
    top = await control.messages()
    assert [m["text"] for m in top] == ["root", "two"]
    assert top[0]["reply_count"] == 2
    thread = await control.messages(thread_ts=ts)
    assert [m["text"] for m in thread] == ["root", "one", "two"]
    assert {m["thread_ts"] for m in thread} == {ts}
    answer = await refused(client, "chat.postMessage", text="x", thread_ts="1.000000")
    assert answer["error"] == "thread_not_found"


async def test_history_and_replies(client: AsyncWebClient, control: Control) -> None:
    """With the scope for it, messages read newest first and threads oldest first."""
    await control.post("app", scopes=["channels:history", "chat:write"])
    ts = (await client.chat_postMessage(channel="C0OPS", text="a", metadata=METADATA))["ts"]
    await client.chat_postMessage(channel="C0OPS", text="b")
    await client.chat_postMessage(channel="C0OPS", text="c", thread_ts=ts)
    history = await client.conversations_history(channel="C0OPS", limit=1)
    assert [m["text"] for m in history["messages"]] == ["b"]
    assert history["has_more"] is True
    older = await client.conversations_history(
        channel="C0OPS",
        cursor=history["response_metadata"]["next_cursor"],
        include_all_metadata=True,
    )
    assert [m["metadata"] for m in older["messages"]] == [METADATA]
    replies = await client.conversations_replies(channel="C0OPS", ts=ts)
    assert [m["text"] for m in replies["messages"]] == ["a", "c"]


async def test_reactions_and_permalinks(client: AsyncWebClient, control: Control) -> None:
    """A reaction is added once, and a permalink names channel and message."""
    ts = (await client.chat_postMessage(channel="C0OPS", text="a"))["ts"]
    await client.reactions_add(channel="C0OPS", name="eyes", timestamp=ts)
    (message,) = await control.messages()
    assert message["reactions"] == [{"name": "eyes", "users": ["U0QUORUMBOT"], "count": 1}]
    again = await refused(client, "reactions.add", name="eyes", timestamp=ts)
    assert again["error"] == "already_reacted"
    link = (await client.chat_getPermalink(channel="C0OPS", message_ts=ts))["permalink"]
    assert link.endswith(f"/archives/C0OPS/p{ts.replace('.', '')}")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({}, "no_text"),
        ({"text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        ({"text": "x", "metadata": "nonsense"}, "invalid_metadata_format"),
        ({"text": "x", "attachments": [{"text": "old"}]}, "invalid_attachments"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        (
            {"blocks": [SECTION | {"text": {"type": "mrkdwn", "text": "x" * 2_700}}] * 5},
            "msg_blocks_too_long",
        ),
    ],
)
async def test_what_cannot_be_posted(
    client: AsyncWebClient, args: dict[str, object], error: str
) -> None:
    """Every refusal of a new message carries Slack's own name for it."""
    assert (await refused(client, "chat.postMessage", **args))["error"] == error


async def test_block_errors_point_at_the_place(client: AsyncWebClient) -> None:
    """Refused blocks come with a JSON pointer, in `errors` and in `response_metadata`."""
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}
    answer = await refused(client, "chat.postMessage", text="x", blocks=[SECTION, long])
    (error,) = answer["errors"]
    assert "less than 3001" in error
    assert "[json-pointer:/blocks/1/text/text]" in error
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {error}"]


async def test_long_text_is_cut_on_posting(client: AsyncWebClient) -> None:
    """Text beyond 40,000 characters is cut, not refused."""
    posted = await client.chat_postMessage(channel="C0OPS", text="x" * 40_010)
    assert len(posted["message"]["text"]) == 40_000
