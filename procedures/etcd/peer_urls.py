"""Peer URLs as people type them, and who has which."""

from urllib.parse import urlsplit

from procedures.etcd.observe import listed
from procedures.etcd.view import View
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import MemberId


def peer_url(text: str) -> str:
    """Give back what is one. Raises UsageError."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = None
    plain = parts.scheme in {"http", "https"} and parts.hostname and port
    if not plain or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        message = f"{text!r} is no peer URL. Write https://HOST:PORT, e.g. https://10.0.0.1:2380."
        raise UsageError(message)
    return text


def require_free(view: View, url: str, apart_from: MemberId | None = None) -> None:
    """Raises Refused where another member has it: each needs its own."""
    for other, row in listed(view):
        if row.id != apart_from and url in row.peer_urls:
            message = f"{url} is the peer URL of {other.name} already. Each member needs its own."
            raise Refused(message)
