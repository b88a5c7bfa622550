"""Text for Slack: escaped, and never longer than Slack takes."""

import re

_CHANNEL = re.compile(r"&lt;#([CG][A-Z0-9]+)&gt;")

SECTION = 3_000
MESSAGE = 3_900


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
