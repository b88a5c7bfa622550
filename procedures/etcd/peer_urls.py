"""Peer URLs as people type them, and who has which."""

import re
from urllib.parse import urlsplit

from procedures.etcd.observe import listed
from procedures.etcd.view import View
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import MemberId

_URL = re.compile(
    r"https?://([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})"
)


def peer_url(text: str) -> str:
    """Give back what is one. Raises UsageError."""
    found = _URL.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65_536:
        message = f"{text!r} is no peer URL. Write https://HOST:PORT, e.g. https://10.0.0.1:2380."
        raise UsageError(message)
    return text


def require_free(view: View, url: str, apart_from: MemberId | None = None) -> None:
    """Raises Refused where another member has it: each needs its own."""
    for other, row in listed(view):
        if row.id != apart_from and url in row.peer_urls:
            message = f"{url} is the peer URL of {other.name} already. Each member needs its own."
            raise Refused(message)


def forbid_loopback(view: View, apart_from: MemberId | None = None) -> None:
    """Raises Refused where a member is listed at an address that only its own host reaches."""
    for seen, row in listed(view):
        here = [url for url in row.peer_urls if row.id != apart_from and is_local(url)]
        if here:
            message = (
                f"The peer URL of {seen.name} is {here[0]}, where no other host reaches it. "
                f"Correct that first: /etcd member fix-peer-url {seen.name} https://ADDRESS:2380."
            )
            raise Refused(message)


def is_local(url: str) -> bool:
    """Tell whether a URL leads each machine to itself."""
    hostname = urlsplit(url).hostname or ""
    return hostname in {"localhost", "::1"} or hostname.startswith("127.")
