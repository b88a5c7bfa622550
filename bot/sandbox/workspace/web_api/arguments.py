"""Arguments of a Web API call, however they were sent."""

import json
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.workspace.wire import ApiError, Wire


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call; query, form and JSON are alike."""

    raw: Wire

    def text(self, name: str) -> str:
        """Return a text argument, empty when it is missing."""
        value = self.raw.get(name)
        return "" if value is None else str(value)

    def required(self, name: str) -> str:
        """Return a text argument; ApiError when it is missing or empty."""
        value = self.text(name)
        if not value:
            raise ApiError(
                "missing_argument",
                response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
            )
        return value

    def flag(self, name: str) -> bool:
        """Return a yes-or-no argument, which may come as `1`, `true` or a JSON boolean."""
        return self.text(name).lower() in {"1", "true"}

    def number(self, name: str, default: int) -> int:
        """Return a whole number; ApiError when it is none."""
        value = self.text(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit():
            raise ApiError("invalid_arguments")
        return int(value)

    def has(self, name: str) -> bool:
        """Whether the argument was sent with a value other than null."""
        return self.raw.get(name) is not None

    def structure(self, name: str, error: str = "invalid_arguments") -> object:
        """Return a JSON value, which forms carry as text; ApiError `error` when unreadable."""
        value = self.raw.get(name)
        if not isinstance(value, str):
            return value
        try:
            parsed: object = json.loads(value)
        except ValueError:
            raise ApiError(error) from None
        return parsed


async def read_arguments(request: web.Request) -> Arguments:
    """Merge the query with the form or JSON body; ApiError when the body is unreadable."""
    raw: Wire = dict(request.query)
    if request.content_type == "application/json":
        body = await request.read()
        try:
            parsed = json.loads(body) if body else {}
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(parsed, dict):
            raise ApiError("json_not_object")
        raw |= parsed
    else:
        form = await request.post()
        raw |= {key: value for key, value in form.items() if isinstance(value, str)}
    return Arguments(raw)


def token_of(request: web.Request, arguments: Arguments) -> str:
    """Return the token from the Authorization header, or else from the arguments."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else arguments.text("token")
