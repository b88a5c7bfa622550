"""What the app answers to an interaction: in the ack, or later through a `response_url`."""

import json
import logging

from aiohttp import web

from bot.sandbox.workspace.composing import bot_body
from bot.sandbox.workspace.messages import Post
from bot.sandbox.workspace.triggers import Hook
from bot.sandbox.workspace.wire import ApiError, Wire
from bot.sandbox.workspace.workspace import Workspace

_log = logging.getLogger(__name__)


def post_response(
    workspace: Workspace, response: Wire, *, channel_id: str, user_id: str
) -> Post | None:
    """Post a response for everybody (`in_channel`) or for `user_id`; None when it says nothing."""
    if not response.get("text") and not response.get("blocks"):
        return None
    body = bot_body(
        str(response.get("text") or ""), response.get("blocks"), response.get("metadata")
    )
    thread_ts = response.get("thread_ts")
    root = workspace.messages.root_of(channel_id, thread_ts) if thread_ts else None
    return workspace.messages.add(
        channel_id,
        body,
        thread_ts=root.ts if root else None,
        viewer=None if response.get("response_type") == "in_channel" else user_id,
    )


class ResponseUrls:
    """Answers `/hooks/TOKEN`."""

    def __init__(self, workspace: Workspace) -> None:
        """Serve the response URLs that `workspace` issued."""
        self._workspace = workspace

    async def handle(self, request: web.Request) -> web.Response:
        """Take one response."""
        try:
            hook = self._workspace.hooks.use(request.match_info["token"])
        except ApiError as refusal:
            return web.json_response(refusal.body, status=404)
        try:
            response = json.loads(await request.read())
        except ValueError:
            response = None
        if not isinstance(response, dict):
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        try:
            self._apply(hook, response)
        except ApiError as refusal:
            _log.warning("a response_url refused a response: %s", refusal.body)
            return web.json_response(refusal.body, status=400)
        return web.Response(text="ok")

    def _apply(self, hook: Hook, response: Wire) -> None:
        messages = self._workspace.messages
        source = messages.find(hook.channel_id, hook.source_ts) if hook.source_ts else None
        if response.get("delete_original"):
            if source is not None:
                messages.remove(source)
        elif response.get("replace_original") and source is not None:
            body = bot_body(
                str(response.get("text") or ""), response.get("blocks"), response.get("metadata")
            )
            messages.replace(source, body)
        elif (
            post_response(
                self._workspace, response, channel_id=hook.channel_id, user_id=hook.user_id
            )
            is None
        ):
            raise ApiError("no_text")
