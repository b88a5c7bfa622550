"""`conversations.*` and `reactions.*`."""

from bot.sandbox.workspace.messages import Post
from bot.sandbox.workspace.people import BOT_USER_ID
from bot.sandbox.workspace.web_api.call import Call
from bot.sandbox.workspace.web_api.pages import page_of
from bot.sandbox.workspace.wire import ApiError, Wire, as_objects

_TYPES = {"public_channel", "private_channel", "mpim", "im"}


def info(call: Call) -> Wire:
    """Describe one channel."""
    return {"ok": True, "channel": call.channel().wire()}


def list_channels(call: Call) -> Wire:
    """List the channels of the asked types."""
    types = set((call.args.text("types") or "public_channel").split(","))
    if not types <= _TYPES:
        raise ApiError("invalid_types")
    channels = [
        channel
        for channel in call.workspace.directory.channels.values()
        if ("im" if channel.dm_with else "public_channel") in types
    ]
    page, metadata = page_of(call.args, channels)
    return {"ok": True, "channels": [channel.wire() for channel in page], **metadata}


def members(call: Call) -> Wire:
    """List the user ids in a channel."""
    page, metadata = page_of(call.args, call.channel().members)
    return {"ok": True, "members": page, **metadata}


def open_conversation(call: Call) -> Wire:
    """Open the direct conversation with one person."""
    user_ids = call.args.text("users").split(",")
    if user_ids == [""]:
        raise ApiError("users_list_not_supplied")
    if len(user_ids) > 1:
        raise ApiError("too_many_users")
    user = call.workspace.directory.users.get(user_ids[0])
    if user is None or user.is_bot:
        raise ApiError("user_not_found")
    if user.is_stranger:
        raise ApiError("user_not_visible")
    channel = call.workspace.dm(user)
    shown = channel.wire() if call.args.flag("return_im") else {"id": channel.id}
    return {"ok": True, "channel": shown}


def history(call: Call) -> Wire:
    """Return the messages of a channel, newest first."""
    channel = call.channel_with_bot()
    posts = call.workspace.messages.timeline(channel.id)
    return _listed(call, posts[::-1])


def replies(call: Call) -> Wire:
    """Return a thread, parent first."""
    channel = call.channel_with_bot()
    posts = call.workspace.messages.thread(channel.id, call.args.required("ts"))
    if not posts:
        raise ApiError("thread_not_found")
    return _listed(call, posts)


def add_reaction(call: Call) -> Wire:
    """Add the bot's reaction to a message."""
    name = call.args.required("name").strip(":")
    channel = call.channel_with_bot()
    post = call.workspace.messages.find(channel.id, call.args.required("timestamp"))
    if post is None or post.viewer is not None:
        raise ApiError("message_not_found")
    reactions = as_objects(post.body.get("reactions"))
    if any(reaction["name"] == name for reaction in reactions):
        raise ApiError("already_reacted")
    added: Wire = {"name": name, "users": [BOT_USER_ID], "count": 1}
    call.workspace.messages.replace(post, {**post.body, "reactions": [*reactions, added]})
    return {"ok": True}


def _listed(call: Call, posts: list[Post]) -> Wire:
    oldest = call.args.text("oldest") or "0"
    latest = call.args.text("latest") or "9999999999"
    inside = [post for post in posts if oldest < post.ts < latest]
    page, metadata = page_of(call.args, inside)
    shown = [post.wire() for post in page]
    if not call.args.flag("include_all_metadata"):
        shown = [{k: v for k, v in message.items() if k != "metadata"} for message in shown]
    more = bool(metadata["response_metadata"]["next_cursor"])
    return {"ok": True, "messages": shown, "has_more": more, **metadata}
