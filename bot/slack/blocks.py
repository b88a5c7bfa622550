"""Blocks, and the message that they make."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.slack.text import cut
from procedures.model.canonical import canonical, digest

Block: TypeAlias = dict[str, Any]

SECTION = 2_900
"""Characters of a section's text; Slack takes 3,000."""

_VISIBLE = frozenset({"text", "title"})


@dataclass(frozen=True, slots=True)
class View:
    """A message: text for notifications and screen readers, blocks for eyes, metadata for tools."""

    text: str
    blocks: tuple[Block, ...]
    metadata: dict[str, Any] | None = None

    @property
    def digest(self) -> str:
        """Changes whenever the message does."""
        return digest(canonical({"text": self.text, "blocks": self.blocks, "m": self.metadata}))


def section(mrkdwn: str) -> Block:
    """A section; what Slack does not take is left out, and counted in lines."""
    return {"type": "section", "text": _mrkdwn(cut(mrkdwn, SECTION))}


def context(mrkdwn: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [_mrkdwn(cut(mrkdwn, SECTION))]}


def preformatted(text: str) -> Block:
    """Text exactly as it is: nothing in it is markup."""
    leaf = {"type": "text", "text": text}
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [leaf]}],
    }


def rich(*leaves: Block) -> Block:
    """Rich text of one paragraph."""
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": list(leaves)}],
    }


def plain(text: str) -> Block:
    """Plain text, for labels."""
    return {"type": "plain_text", "text": text}


def length(blocks: Iterable[Block]) -> int:
    """How many characters people see; Slack takes about 12,000 in one message."""
    return sum(map(_length, blocks))


def _mrkdwn(text: str) -> Block:
    # verbatim: Slack makes no links and no mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _length(value: object) -> int:
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    if not isinstance(value, dict):
        return 0
    return sum(
        len(item) if isinstance(item, str) and key in _VISIBLE else _length(item)
        for key, item in value.items()
    )
