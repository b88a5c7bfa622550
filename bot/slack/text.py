"""Text for Slack: escaped, and never longer than Slack takes."""

import re
from collections.abc import Iterator

_REST = 40
_WIDEST = len("U+10FFFF")

_USER = re.compile(r"&lt;@([UW][A-Z0-9]+)&gt;")
_CHANNEL = re.compile(r"&lt;#([CG][A-Z0-9]+)&gt;")

MESSAGE = 3_900
"""Characters of a message's `text`: `chat.update` refuses more than 4,000."""


def escaped(text: str) -> str:
    """Escape what Slack would read as markup; mentions of channels, which notify nobody, stay.

    Characters that cannot be seen are shown as what they are.
    """
    return _CHANNEL.sub(r"<#\1>", literal(text))


def literal(text: str) -> str:
    """Escape everything that Slack would read as markup, for text that must stay as it is."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def visible(text: str) -> str:
    """Show characters that cannot be seen as what they are."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else f"U+{ord(c):04X}" for c in text)


def code(text: str) -> str | None:
    """Text as mrkdwn code within a line; None where code would not show it exactly."""
    if not text or text != text.strip() or "`" in text or "\n" in text:
        return None
    return f"`{literal(text)}`"


def pieces(text: str, most: int) -> Iterator[str]:
    """Take text apart, losing nothing, so that each piece is at most `most` long when escaped."""
    start = 0
    while start < len(text):
        end = min(len(text), start + most)
        while (over := len(literal(text[start:end])) - most) > 0:
            end -= over // _WIDEST + 1
        end = max(end, start + 1)
        yield text[start:end]
        start = end


def private(text: str) -> str:
    """Escape and cut what one person alone will read: there, mentions of people stay too."""
    return cut(_USER.sub(r"<@\1>", escaped(text)), MESSAGE)


def cut(text: str, most: int, separator: str = "\n") -> str:
    """Keep as many whole items as fit, and count the rest; an item that is too long is cut."""
    if len(text) <= most:
        return text
    items = text.split(separator)
    kept = [shortened(items[0], most - _REST)]
    room = most - _REST - len(kept[0])
    for item in items[1:]:
        room -= len(separator) + len(item)
        if room < 0:
            break
        kept.append(item)
    if len(kept) < len(items):
        kept.append(f"… and {len(items) - len(kept)} more")
    return separator.join(kept)


def shortened(text: str, most: int) -> str:
    """Shorten one line, and show that something is left out; an escape is never cut in two."""
    if len(text) <= most:
        return text
    kept = text[: most - 2]
    start = kept.rfind("&")
    if start > most - 10 and ";" not in kept[start:]:
        kept = kept[:start]
    return f"{kept} …"
