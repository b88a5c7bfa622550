"""The payloads that Slack sends for what people do."""

import secrets

from bot.sandbox.workspace.delivery.envelope import Envelope, EnvelopeType
from bot.sandbox.workspace.directory import Channel
from bot.sandbox.workspace.escape import escape_typed
from bot.sandbox.workspace.messages import Post
from bot.sandbox.workspace.people import APP_ID, BOT_USER_ID, TEAM_DOMAINS, TEAM_ID, User
from bot.sandbox.workspace.wire import Wire
from bot.sandbox.workspace.workspace import Workspace

_TOKEN = "sandbox-verification"  # noqa: S105 - the deprecated token, which nobody checks


def slash_command(
    workspace: Workspace, user: User, channel: Channel, command: str, text: str
) -> Envelope:
    """Build the payload of a slash command; `text` is what was typed."""
    token = workspace.hooks.issue(channel.id, user.id)
    payload: Wire = {
        "token": _TOKEN,
        "team_id": user.team_id,
        "team_domain": TEAM_DOMAINS[user.team_id],
        "channel_id": channel.id,
        "channel_name": channel.wire_name,
        "user_id": user.id,
        "user_name": user.handle,
        "command": command,
        "text": escape_typed(text, workspace.directory.mentions()),
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": f"{workspace.base_url}/hooks/{token}",
        "trigger_id": workspace.triggers.issue(user.id),
    }
    return Envelope(EnvelopeType.SLASH, payload, accepts_response=True)


def message_action(
    workspace: Workspace,
    user: User,
    channel: Channel,
    *,
    ts: str,
    post: Post | None,
    action: Wire,
) -> Envelope:
    """Build the payload of a click in a message; `post` is None for one that never was."""
    token = workspace.hooks.issue(channel.id, user.id, ts)
    container: Wire = {
        "type": "message",
        "message_ts": ts,
        "channel_id": channel.id,
        "is_ephemeral": post is not None and post.viewer is not None,
    }
    message: Wire = {"type": "message", "ts": ts, "text": "", "user": BOT_USER_ID, "blocks": []}
    if post is not None:
        message = post.wire()
        if post.thread_ts is not None:
            container["thread_ts"] = post.thread_ts
    payload = _interaction("block_actions", workspace, user) | {
        "container": container,
        "channel": {"id": channel.id, "name": channel.wire_name},
        "message": message,
        "state": {"values": {}},
        "response_url": f"{workspace.base_url}/hooks/{token}",
        "actions": [action],
    }
    if container["is_ephemeral"]:
        del payload["message"]
    return Envelope(EnvelopeType.INTERACTIVE, payload)


def view_action(workspace: Workspace, user: User, view: Wire, action: Wire) -> Envelope:
    """Build the payload of a click in a modal or Home tab."""
    payload = _interaction("block_actions", workspace, user) | {
        "container": {"type": "view", "view_id": view["id"]},
        "view": view,
        "actions": [action],
    }
    return Envelope(EnvelopeType.INTERACTIVE, payload)


def view_submission(workspace: Workspace, user: User, view: Wire, values: Wire) -> Envelope:
    """Build the payload of a submitted modal; `values` are in the wire form of a view's state."""
    payload = _interaction("view_submission", workspace, user) | {
        "view": view | {"state": {"values": values}},
        "response_urls": [],
    }
    return Envelope(EnvelopeType.INTERACTIVE, payload, accepts_response=True)


def event_callback(workspace: Workspace, event: Wire) -> Envelope:
    """Build the payload of an Events API event."""
    stamp = workspace.clock.stamp()
    channel = workspace.directory.channels.get(str(event.get("channel", "")))
    payload: Wire = {
        "token": _TOKEN,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": {"event_ts": stamp, **event},
        "type": "event_callback",
        "event_id": f"Ev0{secrets.token_hex(5).upper()}",
        "event_time": int(workspace.clock.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": channel is not None and channel.is_ext_shared,
    }
    return Envelope(EnvelopeType.EVENT, payload)


def _interaction(kind: str, workspace: Workspace, user: User) -> Wire:
    return {
        "type": kind,
        "user": {
            "id": user.id,
            "username": user.handle,
            "name": user.handle,
            "team_id": user.team_id,
        },
        "api_app_id": APP_ID,
        "token": _TOKEN,
        "trigger_id": workspace.triggers.issue(user.id),
        # As for a shared channel: the team of the person who acts, not of the installation.
        "team": {"id": user.team_id, "domain": TEAM_DOMAINS[user.team_id]},
        "enterprise": None,
        "is_enterprise_install": False,
    }
