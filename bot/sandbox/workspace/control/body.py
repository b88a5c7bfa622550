"""Reading of control requests; every fault says what would be right."""

import json
import math
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.workspace.directory import Channel, Directory
from bot.sandbox.workspace.people import User
from bot.sandbox.workspace.wire import Wire

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadRequestError(Exception):
    """A control request that cannot be served; its text is the answer."""


@web.middleware
async def explain_bad_requests(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer 400 with the words of a BadRequestError."""
    try:
        return await handler(request)
    except BadRequestError as error:
        return web.json_response({"error": str(error)}, status=400)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one control request."""

    raw: Wire
    directory: Directory

    def text(self, name: str) -> str:
        """Return a text that must be there, possibly empty."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            raise BadRequestError(f"`{name}` must be a text, not {json.dumps(value)}")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, None when it is missing or null."""
        return None if self.raw.get(name) is None else self.text(name)

    def number(self, name: str, *, default: float | None = None, least: float = 0.0) -> float:
        """Return a number of at least `least`."""
        value = self.raw.get(name, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or value < least
        ):
            raise BadRequestError(
                f"`{name}` must be a number of at least {least:g}, not {json.dumps(value)}"
            )
        return float(value)

    def whole(self, name: str, *, default: int | None = None, least: int = 1) -> int:
        """Return a whole number of at least `least`."""
        value = self.number(name, default=default, least=least)
        if value != int(value):
            raise BadRequestError(f"`{name}` must be a whole number, not {value:g}")
        return int(value)

    def one_of(self, name: str, allowed: Collection[str]) -> str:
        """Return a text that is one of `allowed`."""
        value = self.raw.get(name)
        if not isinstance(value, str) or value not in allowed:
            raise BadRequestError(
                f"`{name}` must be one of {', '.join(sorted(allowed))}, not {json.dumps(value)}"
            )
        return value

    def user(self, name: str = "user") -> User:
        """Return the person with the handle below `name`."""
        handles = [user.handle for user in self.directory.users.values() if not user.is_bot]
        user = self.directory.user_by_handle(self.one_of(name, handles))
        if user is None:
            raise BadRequestError(f"`{name}` names nobody")
        return user

    def channel(self, name: str = "channel") -> Channel:
        """Return the channel with the name or id below `name`."""
        channel = self.directory.channel_by_name(self.text(name))
        if channel is None:
            names = ", ".join(sorted(c.name for c in self.directory.channels.values()))
            raise BadRequestError(f"`{name}` must be one of {names}, not {self.raw[name]!r}")
        return channel


async def body_of(request: web.Request, directory: Directory) -> Fields:
    """Read the JSON object that a control request carries."""
    try:
        parsed = json.loads(await request.read())
    except ValueError:
        raise BadRequestError("the body must be JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequestError("the body must be a JSON object")
    return Fields(parsed, directory)


def query_of(request: web.Request, directory: Directory) -> Fields:
    """Read the query of a control request; an empty value counts as missing."""
    return Fields({key: value for key, value in request.query.items() if value}, directory)
