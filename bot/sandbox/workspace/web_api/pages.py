"""Cursor pagination."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from bot.sandbox.workspace.web_api.arguments import Arguments
from bot.sandbox.workspace.wire import ApiError, Wire

_Item = TypeVar("_Item")
_MOST = 1_000


def page_of(args: Arguments, items: Sequence[_Item]) -> tuple[list[_Item], Wire]:
    """Return the page that `cursor` and `limit` ask for, and its `response_metadata`."""
    start = _offset(args.text("cursor"))
    limit = args.number("limit", 100)
    if not 1 <= limit <= _MOST:
        raise ApiError("invalid_limit")
    end = start + limit
    cursor = base64.b64encode(f"offset:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": cursor}}


def _offset(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("offset:"))
    except (binascii.Error, ValueError):
        raise ApiError("invalid_cursor") from None
