"""Peer URLs, checked before they are sent."""

import re
from collections.abc import Sequence

from procedures.model.errors import Permanent

_PEER_URL = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_LAST_PORT = 65_535


def checked(urls: Sequence[str], what: str) -> tuple[str, ...]:
    """Give the URLs; raise Permanent for one that is none, and where there is none at all.

    etcd takes what it is sent without looking, and all members but the one concerned then panic
    as they carry the change out, and again whenever they are started: it is in their logs.
    """
    bad = [url for url in urls if not _good(url)]
    if bad or not urls:
        why = f"{bad[0]!r} is no peer URL" if bad else "No peer URL is given"
        message = f"{why}; each is https://HOST:PORT, without a path. So {what} was not sent."
        raise Permanent(message)
    return tuple(urls)


def _good(url: str) -> bool:
    found = _PEER_URL.fullmatch(url)
    return found is not None and 0 < int(found[1]) <= _LAST_PORT
