"""Lists of etcd's client URLs that others keep: which voter each is, and what the list becomes.

(X15, X19)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """A voter as clients ask it: its URL, and the names and addresses that are its own.

    `known_as` is in lower case.
    """

    name: str
    url: str
    known_as: frozenset[str]


def renewed(urls: Sequence[str], voters: Sequence[Asked]) -> tuple[str, ...]:
    """Keep the URLs that are a voter's, as they are spelt; add those of voters that have none.

    Where all that stay are spelt by the member's name, so is a new one. A URL is a voter's by its
    whole host, never by a part of it.
    """
    kept: dict[str, str] = {}
    for url in urls:
        owner = owner_of(url, voters)
        if owner is not None:
            kept.setdefault(owner.name, url)
    by_name = bool(kept) and all(
        urlsplit(url).hostname == name.lower() for name, url in kept.items()
    )
    new = (
        _by_name(each) if by_name and is_host(each.name) else each.url
        for each in sorted(voters, key=lambda each: each.name)
        if each.name not in kept
    )
    return (*kept.values(), *new)


def is_host(text: str) -> bool:
    """Tell whether it can be the host of a URL: a name or an address, and nothing else."""
    return _HOST.fullmatch(text) is not None


def owner_of(url: str, voters: Sequence[Asked]) -> Asked | None:
    """Tell whose a URL is; None where it is nobody's, or nobody can tell."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    exact = [each for each in voters if each.url == url.rstrip("/")]
    called = [each for each in voters if host in each.known_as and port == urlsplit(each.url).port]
    for found in (exact, called):
        if len(found) == 1:
            return found[0]
    return None


def _by_name(voter: Asked) -> str:
    parts = urlsplit(voter.url)
    return f"{parts.scheme}://{voter.name}:{parts.port}"
