"""Text as Slack delivers it, cut into words.

Slack escapes `&`, `<` and `>`, and writes mentions and links as `<@U…|name>` and `<https://…|…>`.
Phones turn quotes into typographic ones and `--` into a dash. Whatever is typed ends either in
words or in a UsageError; nothing is passed to a shell, ever.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from procedures.model.errors import UsageError

LONGEST = 2_000
"""Characters; longer requests are refused."""

_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»"}
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
_ENTITY = re.compile("|".join(_ENTITIES))
_ESCAPED = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_DASHES = re.compile(r"^[—–](?=\w)")
_SPOKEN_TO_ALL = {"!": "a mention of everybody", "#": "a channel"}


class Form(StrEnum):
    """How a word was given."""

    PLAIN = "plain"
    QUOTED = "quoted"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Word:
    """One word; of a user it is the id."""

    text: str
    form: Form = Form.PLAIN

    @property
    def flag(self) -> str | None:
        """The name after `--`, up to a `=`; None for any other word."""
        if self.form is not Form.PLAIN or not self.text.startswith("--"):
            return None
        return self.text[2:].split("=", 1)[0]


def words(text: str) -> list[Word]:
    """Cut text into words. Raises UsageError for what cannot be meant."""
    if len(text) > LONGEST:
        message = (
            f"That is {len(text):,} characters long; a command has at most {LONGEST:,}. "
            "Nothing was started."
        )
        raise UsageError(message)
    _refuse_invisible(text)
    found: list[Word] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        word, position = _next(text, position)
        found.append(word)
    return found


def _next(text: str, start: int) -> tuple[Word, int]:
    if text[start] == "<" and (match := _ESCAPED.match(text, start)):
        return _escaped(match), match.end()
    if text[start] in _QUOTES:
        inside, position = _quoted(text, start)
        whole = _ESCAPED.fullmatch(text, start + 1, position - 1)
        return Word(inside, Form.USER if whole and whole[1] == "@" else Form.QUOTED), position
    parts: list[str] = []
    position = start
    while position < len(text) and not text[position].isspace():
        if text[position] in _QUOTES and text[position - 1] == "=":
            piece, position = _quoted(text, position)
        else:
            piece, position = _piece(text, position)
        parts.append(piece)
    return Word(_DASHES.sub("--", "".join(parts))), position


def _piece(text: str, start: int) -> tuple[str, int]:
    """Read one character, or what Slack has made of some, as it was meant."""
    if match := _ESCAPED.match(text, start):
        return _escaped(match).text, match.end()
    if match := _ENTITY.match(text, start):
        return _ENTITIES[match[0]], match.end()
    return text[start], start + 1


def _quoted(text: str, start: int) -> tuple[str, int]:
    """Read up to the closing quote, which must end the word; phones mix the two double ones."""
    closing = _QUOTES[text[start]]
    ends = {'"', "”"} if closing in {'"', "”"} else {closing}
    parts: list[str] = []
    position = start + 1
    while position < len(text):
        if text[position] in ends and (position + 1 == len(text) or text[position + 1].isspace()):
            return "".join(parts), position + 1
        piece, position = _piece(text, position)
        parts.append(piece)
    message = f"The quote that begins with {text[start : start + 12]!r} has no end."
    raise UsageError(message)


def _escaped(match: re.Match[str]) -> Word:
    mark, target, label = match.groups()
    if mark == "@" and target:
        return Word(target, Form.USER)
    if mark in _SPOKEN_TO_ALL or not target:
        what = _SPOKEN_TO_ALL.get(mark, "an empty link")
        message = f"The command contains {what}. Leave it out; nobody was notified."
        raise UsageError(message)
    # Slack turns "host.example" into a link to http://host.example that shows what was typed.
    if label and target in {f"http://{label}", f"https://{label}", f"mailto:{label}"}:
        return Word(_unescaped(label))
    return Word(_unescaped(target))


def _refuse_invisible(text: str) -> None:
    for place, character in enumerate(text, start=1):
        category = unicodedata.category(character)
        if category in {"Cc", "Cf", "Cs", "Co", "Cn"} and character not in "\t\n":
            name = unicodedata.name(character, "a control character").lower()
            message = (
                f"Character {place} of the command is invisible (U+{ord(character):04X}, {name}). "
                "Type the command again without it."
            )
            raise UsageError(message)


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], text)
