"""Bodies of messages, as the app's calls describe them."""

import json

from bot.sandbox.workspace.blocks.check import checked_blocks
from bot.sandbox.workspace.blocks.report import Surface
from bot.sandbox.workspace.people import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    INSTALLED_AT,
    SLACKBOT_ID,
    TEAM_ID,
    User,
)
from bot.sandbox.workspace.wire import ApiError, Wire

_MOST_POSTED = 40_000
_MOST_METADATA = 16_384


def bot_body(text: str, blocks: object = None, metadata: object = None) -> Wire:
    """Return the body of a message by the app; ApiError when Slack would refuse it."""
    checked = checked_blocks(blocks, Surface.MESSAGE) if blocks is not None else []
    if not text and not checked:
        raise ApiError("no_text")
    body: Wire = {
        "user": BOT_USER_ID,
        "bot_id": BOT_ID,
        "app_id": APP_ID,
        "team": TEAM_ID,
        "bot_profile": {
            "id": BOT_ID,
            "app_id": APP_ID,
            "team_id": TEAM_ID,
            "name": "quorumbot",
            "deleted": False,
            "updated": INSTALLED_AT,
        },
        "text": text[:_MOST_POSTED],
    }
    if checked:
        body["blocks"] = checked
    if kept := checked_metadata(metadata):
        body["metadata"] = kept
    return body


def checked_metadata(metadata: object) -> Wire:
    """Return message metadata, empty when there is none; ApiError when it has another form."""
    if metadata is None or metadata == {}:
        return {}
    if not isinstance(metadata, dict):
        raise ApiError("invalid_metadata_format")
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(event_type, str) or not event_type or not isinstance(payload, dict):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(metadata)) > _MOST_METADATA:
        raise ApiError("metadata_too_large")
    return {"event_type": event_type, "event_payload": payload}


def person_body(user: User, text: str) -> Wire:
    """Return the body of a message that a person typed."""
    return {"user": user.id, "team": user.team_id, "text": text}


def slackbot_body(text: str) -> Wire:
    """Return the body of a notice by the workspace itself."""
    return {"user": SLACKBOT_ID, "username": "slackbot", "team": TEAM_ID, "text": text}
