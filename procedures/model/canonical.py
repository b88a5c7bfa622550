"""One byte string for one value: what is hashed and signed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
"""Plain data. Floats and bytes have no place in it: they do not survive a round trip."""


def canonical(value: Json) -> bytes:
    """Write plain data as UTF-8 JSON with sorted keys and no white space.

    Raises TypeError for a float, bytes, or any other type that `Json` does not list.
    """
    _check(value)
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    ).encode()


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _check(value: object) -> None:
    if value is None or isinstance(value, str | int):
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                message = f"a key of plain data is a str, not {type(key).__name__}"
                raise TypeError(message)
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    else:
        message = f"plain data holds no {type(value).__name__}"
        raise TypeError(message)
