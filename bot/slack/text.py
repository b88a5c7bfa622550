"""Text for Slack: escaped, and never longer than Slack takes."""

import re

_REST = 40

_CHANNEL = re.compile(r"&lt;#([CG][A-Z0-9]+)&gt;")

MESSAGE = 3_900
"""Characters of a message's `text`: `chat.update` refuses more than 4,000."""


def escaped(text: str) -> str:
    """Escape what Slack would read as markup; mentions of channels, which notify nobody, stay.

    Characters that cannot be seen are shown as what they are.
    """
    visible = "".join(c if c == "\n" or c.isprintable() else f"U+{ord(c):04X}" for c in text)
    plain = visible.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CHANNEL.sub(r"<#\1>", plain)


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
