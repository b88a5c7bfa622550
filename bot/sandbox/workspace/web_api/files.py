"""`files.*`: the first and third step of an upload."""

from bot.sandbox.workspace.composing import bot_body
from bot.sandbox.workspace.files import File
from bot.sandbox.workspace.web_api.call import Call
from bot.sandbox.workspace.wire import ApiError, Wire

_MOST_SNIPPET = 1_000_000


def get_upload_url(call: Call) -> Wire:
    """Announce a file of a known length; return where to post its bytes."""
    name = call.args.required("filename")
    length = call.args.number("length", 0)
    if length == 0:
        raise ApiError(
            "missing_argument",
            response_metadata={"messages": ["[ERROR] missing required field: length"]},
        )
    if call.args.text("snippet_type") and length > _MOST_SNIPPET:
        raise ApiError("snippet_too_large")
    file, token = call.workspace.files.announce(name, length, int(call.workspace.clock.now()))
    url = f"{call.workspace.base_url}/upload/{token}"
    return {"ok": True, "upload_url": url, "file_id": file.id}


def complete_upload(call: Call) -> Wire:
    """Finish uploads and share them in a channel as one message."""
    channel = call.channel_with_bot("channel_id") if call.args.text("channel_id") else None
    thread_ts: str | None = None
    if channel is not None and call.args.text("thread_ts"):
        root = call.workspace.messages.root_of(channel.id, call.args.text("thread_ts"))
        if root is None:
            raise ApiError("thread_not_found")
        thread_ts = root.ts
    shared = [
        call.workspace.files.share(
            file,
            title=title or file.name,
            channel_id=channel.id if channel else None,
            thread_ts=thread_ts,
        )
        for file, title in _received(call)
    ]
    shown = [file.wire(call.workspace.base_url) for file in shared]
    if channel is not None:
        comment = call.args.text("initial_comment")
        # A file needs no words, unlike any other message.
        body = bot_body(comment or " ") | {"text": comment, "files": shown, "upload": True}
        call.workspace.messages.add(channel.id, body, thread_ts=thread_ts)
    return {"ok": True, "files": shown}


def _received(call: Call) -> list[tuple[File, str]]:
    listed = call.args.structure("files")
    if not isinstance(listed, list) or not listed:
        raise ApiError("missing_argument")
    received: list[tuple[File, str]] = []
    for item in listed:
        file_id = str(item.get("id", "")) if isinstance(item, dict) else ""
        file = call.workspace.files.find(file_id)
        # An upload is completed once; nothing says that Slack would take it twice.
        if file is None or file.content is None or file.is_complete:
            raise ApiError("file_not_found")
        received.append((file, str(item.get("title") or "")))
    return received
