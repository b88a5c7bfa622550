"""Text for Slack: escaped, and never longer than Slack takes."""

import re

_CHANNEL = re.compile(r"&lt;#([CG][A-Z0-9]+)&gt;")

MESSAGE = 3_900
"""Characters of a message's `text`: `chat.update` refuses more than 4,000."""


def escaped(text: str) -> str:
    """Escape what Slack would read as markup; mentions of channels, which notify nobody, stay."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CHANNEL.sub(r"<#\1>", plain)


def cut(text: str, most: int) -> str:
    """Shorten at the end of a line, and say how much is left out."""
    if len(text) <= most:
        return text
    lines = text.splitlines()
    kept: list[str] = []
    room = most - 40
    for line in lines:
        if len(line) + 1 > room:
            break
        kept.append(line)
        room -= len(line) + 1
    return "\n".join([*kept, f"… and {len(lines) - len(kept)} lines more"])


def shortened(text: str, most: int) -> str:
    """Shorten one line, and show that something is left out; an escape is never cut in two."""
    if len(text) <= most:
        return text
    kept = text[: most - 2]
    start = kept.rfind("&")
    if start > most - 10 and ";" not in kept[start:]:
        kept = kept[:start]
    return f"{kept} …"
