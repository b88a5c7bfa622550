"""Addresses in the configuration."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import AfterValidator


def url(schemes: tuple[str, ...], path: str, form: str) -> AfterValidator:
    """Check for scheme, host, perhaps a port, and a path that matches; `form` says what is right.

    A query or a fragment is refused: the libraries would ignore it, or obey it unseen.
    """
    return AfterValidator(_checker(schemes, path, form))


def redis_url() -> AfterValidator:
    """Check the address of a Redis: as any other, or a socket's absolute path on this machine."""
    of_a_host = _checker(("redis", "rediss"), r"(/[0-9]{0,5})?", "redis://HOST:PORT/NUMBER")

    def check(value: str) -> str:
        if not value.startswith("unix:"):
            return of_a_host(value)
        if not re.fullmatch(r"unix:///[^\s?#%]*[^\s?#%/]", value):
            message = "write it as unix:///PATH/OF/SOCKET, without spaces, ?, # and %"
            raise ValueError(message)
        return value

    return AfterValidator(check)


def _checker(schemes: tuple[str, ...], path: str, form: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = bool(parts.hostname) and parts.port != 0 and parts.scheme in schemes
        except ValueError:
            usable = False
        if not usable or any(each.isspace() for each in value):
            message = f"write it as {form}"
            raise ValueError(message)
        if "@" in parts.netloc:
            message = "leave user and password out of the address; give the password by reference"
            raise ValueError(message)
        if "?" in value or "#" in value:
            message = f"leave out what begins with ? or #: write it as {form}"
            raise ValueError(message)
        if not re.fullmatch(path, parts.path):
            message = f"the path {parts.path!r} does not belong there: write it as {form}"
            raise ValueError(message)
        return value

    return check
