"""What travels: JSON objects, and a Web API refusal."""

from typing import Any

Wire = dict[str, Any]
"""A JSON object exactly as it is sent or was received."""


class ApiError(Exception):
    """A refusal of the Web API: HTTP 200 with `ok: false`, the error's name and its details."""

    def __init__(self, error: str, **details: object) -> None:
        """Name the error as Slack does; `details` become further keys of the answer."""
        super().__init__(error)
        self.error = error
        self.body: Wire = {"ok": False, "error": error, **details}


def as_object(value: object) -> Wire:
    """Return `value` when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object) -> list[Wire]:
    """Return the JSON objects in `value` when it is a list, else nothing."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
