"""`chat.*`: posting, changing and removing messages."""

from bot.sandbox.workspace.composing import bot_body, checked_metadata
from bot.sandbox.workspace.directory import Channel
from bot.sandbox.workspace.messages import Post
from bot.sandbox.workspace.people import BOT_ID, BOT_USER_ID
from bot.sandbox.workspace.web_api.call import Call
from bot.sandbox.workspace.wire import ApiError, Wire

_MOST_UPDATED = 4_000


def post_message(call: Call) -> Wire:
    """Post into a channel, or to a user id into the direct conversation."""
    body = _new_body(call)
    channel = _destination(call)
    thread_ts = _thread(call, channel)
    if thread_ts and call.args.flag("reply_broadcast"):
        body["subtype"] = "thread_broadcast"
    post = _posted_before(call, channel) or call.workspace.messages.add(
        channel.id, body, thread_ts=thread_ts
    )
    if client_msg_id := call.args.text("client_msg_id"):
        call.workspace.messages.remember(client_msg_id, post)
    return {"ok": True, "channel": channel.id, "ts": post.ts, "message": post.wire()}


def post_ephemeral(call: Call) -> Wire:
    """Post what one member of the channel sees."""
    body = _new_body(call)
    channel = call.channel_with_bot()
    user = call.workspace.directory.users.get(call.args.required("user"))
    if user is None or user.id not in channel.members:
        raise ApiError("user_not_in_channel")
    thread_ts = _thread(call, channel)
    post = call.workspace.messages.add(channel.id, body, thread_ts=thread_ts, viewer=user.id)
    return {"ok": True, "message_ts": post.ts}


def update(call: Call) -> Wire:
    """Change a message of the bot: text alone removes blocks and marks it as edited."""
    post = _own(call, "ts", "cant_update_message")
    _refuse_attachments(call)
    text = call.args.text("text")
    if len(text) > _MOST_UPDATED:
        raise ApiError("msg_too_long")
    blocks = call.args.structure("blocks", "invalid_blocks_format")
    body = bot_body(text, blocks)
    if "subtype" in post.body:
        body["subtype"] = post.body["subtype"]
    if not body.get("blocks"):
        body["edited"] = {"user": BOT_USER_ID, "ts": call.workspace.clock.stamp()}
    metadata = post.body.get("metadata")
    if call.args.has("metadata"):
        metadata = checked_metadata(call.args.structure("metadata", "invalid_metadata_format"))
    if metadata:
        body["metadata"] = metadata
    if "files" in post.body:
        body["files"] = post.body["files"]
    call.workspace.messages.replace(post, body)
    return {
        "ok": True,
        "channel": post.channel_id,
        "ts": post.ts,
        "text": body["text"],
        "message": post.wire(),
    }


def delete(call: Call) -> Wire:
    """Remove a message of the bot."""
    post = _own(call, "ts", "cant_delete_message")
    call.workspace.messages.remove(post)
    return {"ok": True, "channel": post.channel_id, "ts": post.ts}


def get_permalink(call: Call) -> Wire:
    """Return the address of a message on the workspace's page."""
    post = _found(call, "message_ts")
    anchor = post.ts.replace(".", "")
    link = f"{call.workspace.base_url}/archives/{post.channel_id}/p{anchor}"
    if post.thread_ts:
        link += f"?thread_ts={post.thread_ts}&cid={post.channel_id}"
    return {"ok": True, "channel": post.channel_id, "permalink": link}


def _new_body(call: Call) -> Wire:
    _refuse_attachments(call)
    return bot_body(
        call.args.text("text"),
        call.args.structure("blocks", "invalid_blocks_format"),
        call.args.structure("metadata", "invalid_metadata_format"),
    )


def _posted_before(call: Call, channel: Channel) -> Post | None:
    """Find the message that was posted under the same `client_msg_id`, as it is now."""
    ts = call.workspace.messages.posted_as(channel.id, call.args.text("client_msg_id"))
    if ts is None:
        return None
    post = call.workspace.messages.find(channel.id, ts)
    if post is None:
        raise ApiError("duplicate_message_not_found")
    return post


def _refuse_attachments(call: Call) -> None:
    # Legacy attachments are not modelled, and dropping them silently would fake a success.
    if call.args.structure("attachments", "invalid_attachments"):
        raise ApiError("invalid_attachments")


def _destination(call: Call) -> Channel:
    user = call.workspace.directory.users.get(call.args.required("channel"))
    if user is not None and not user.is_stranger and not user.is_bot:
        return call.workspace.dm(user)
    if "chat:write.public" in call.workspace.installation.scopes:
        return call.channel()
    return call.channel_with_bot()


def _thread(call: Call, channel: Channel) -> str | None:
    thread_ts = call.args.text("thread_ts")
    if not thread_ts:
        return None
    root = call.workspace.messages.root_of(channel.id, thread_ts)
    if root is None:
        raise ApiError("thread_not_found")
    return root.ts


def _found(call: Call, name: str) -> Post:
    channel = call.channel()
    post = call.workspace.messages.find(channel.id, call.args.required(name))
    if post is None or post.viewer is not None:
        raise ApiError("message_not_found")
    return post


def _own(call: Call, name: str, error: str) -> Post:
    post = _found(call, name)
    if post.body.get("bot_id") != BOT_ID:
        raise ApiError(error)
    return post
