"""How Slack rewrites what a person types after a slash command, with escaping switched on."""

import re
from collections.abc import Mapping

# Already in Slack's escaped form: testers forge such tokens, so they pass unchanged.
_FORGED = re.compile(r"(<(?:[@#!]|https?://)[^<>\s][^<>]*>)")
_LINK = re.compile(r"https?://[^\s<>|\"']*[^\s<>|\"'.,;:!?)]")
_MENTION = re.compile(r"(?<![\w@#/])[@#][\w-]+")


def escape_typed(text: str, mentions: Mapping[str, str]) -> str:
    """Return `text` as the app receives it; `mentions` maps `@name` and `#name` to tokens."""
    parts = _FORGED.split(text)
    return "".join(
        part if index % 2 else _escape_plain(part, mentions) for index, part in enumerate(parts)
    )


def _escape_plain(text: str, mentions: Mapping[str, str]) -> str:
    pieces: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        pieces += (_escape_words(text[end : link.start()], mentions), f"<{_entities(link[0])}>")
        end = link.end()
    return "".join([*pieces, _escape_words(text[end:], mentions)])


def _escape_words(text: str, mentions: Mapping[str, str]) -> str:
    return _MENTION.sub(lambda found: mentions.get(found[0], found[0]), _entities(text))


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
