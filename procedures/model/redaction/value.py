"""Where a secret that nobody registered ends: what is dropped once its beginning was seen.

A value never waits for its end: it drops what surely belongs to it and says what goes on.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from procedures.model.redaction.mark import MARKS


@dataclass(frozen=True, slots=True)
class Bite:
    """Text before `end` belongs to the value; `then` is what goes on there, None if nothing."""

    end: int
    then: "Value | None"


class Value(Protocol):
    """The rest of a secret."""

    def bite(self, text: str, at: int, *, final: bool) -> Bite:
        """Drop from `at` what is known to belong to it; `final` when no more text will come."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one class. A quote that `quotes` does not rule out may be among them."""

    pattern: re.Pattern[str]
    quotes: str = ""

    def bite(self, text: str, at: int, *, final: bool) -> Bite:
        """Drop all that match; whether a quote is the end is known with the next character."""
        end = _end(self.pattern, text, at)
        undecided = end == len(text) or (end == len(text) - 1 and text[end] in self.quotes)
        return Bite(end, self if undecided and not final else None)


@dataclass(frozen=True, slots=True)
class Quoted:
    """Up to the quote, or the end of the line. `level` backslashes stand before the quote itself.

    More of them before a quote belong to the value: JSON within JSON writes it so.
    """

    quote: str
    level: int = 0

    def bite(self, text: str, at: int, *, final: bool) -> Bite:
        """Drop what is quoted, up to the backslashes of the quote that ends it."""
        end = _end(_quoted(self.quote, self.level), text, at)
        if not _LAST_BACKSLASHES.match(text, end):
            closed = not self.level and text[end] == self.quote
            return Bite(end, Closing() if closed else None)
        return Bite(len(text) if final else max(end, len(text) - self.level - 1), self)


@dataclass(frozen=True, slots=True)
class Closing:
    """A quote that ends the value, unless more of a shell's word follows, as in 'it'"'"'s'."""

    def bite(self, text: str, at: int, *, final: bool) -> Bite:
        """Decide by one more character, or two."""
        follows = text[at + 1 : at + 3]
        if follows in {"", "\\"} and not final:
            return Bite(at, self)
        if not follows or follows[0] in _BEHIND:
            return Bite(at, None)
        if follows[0] in _QUOTES:
            return Bite(at + 2, Quoted(follows[0]))
        if follows in {"\\'", '\\"'}:
            return Bite(at + 2, self)  # that quote is a character; what is behind it decides
        return Bite(at + 1, _WORD)


@dataclass(frozen=True, slots=True)
class Opening:
    """Perhaps a quote with backslashes or a dollar before it; else `otherwise`."""

    otherwise: Value

    def bite(self, text: str, at: int, *, final: bool) -> Bite:
        """Decide as soon as what may stand before a quote is over."""
        before = _BEFORE_QUOTE.match(text, at)
        if before is None:
            return Bite(at, self.otherwise)
        if before.end() == len(text):
            return Bite(at, None if final else self)
        if text[before.end()] in _QUOTES:
            return Bite(before.end() + 1, Quoted(text[before.end()], before[0].count("\\")))
        return Bite(at, self.otherwise)


@dataclass(frozen=True, slots=True)
class Address:
    """The password before the last `@` of a URL's authority; all of it when that gets too long."""

    def bite(self, text: str, at: int, *, final: bool) -> Bite:  # noqa: ARG002 (the protocol's)
        """Decide at once: the sign was read with all that is needed."""
        last = text.rfind("@", at, _end(_PASSWORD, text, at))
        return Bite(at, _AUTHORITY) if last < 0 else Bite(last, None)


_LAST_BACKSLASHES = re.compile(r"\\*\Z")
_BEFORE_QUOTE = re.compile(r"\\{1,15}|\$")

AUTHORITY = r"[^\s\"'<>]"
"""One character of a password in a URL, as a class; it may hold what it should not, as `/`."""

LONGEST_PASSWORD = 256
"""Characters of a URL's authority that are taken for a password with no `@` in sight."""

_PASSWORD = re.compile(rf"{AUTHORITY}{{1,{LONGEST_PASSWORD}}}", re.ASCII)
_AUTHORITY = Run(re.compile(rf"{AUTHORITY}*+", re.ASCII))

_QUOTES = "\"'"
_BEHIND = " \t\r\n,:;&|>])}"
"""What follows a quote that ends something."""

# The space is that of a mark: text may be redacted twice.
_WORD = Run(
    re.compile(r"(?:[^\s\"']++|[\"'](?=[^\s,:;&|>\])}])|(?<=\[secret) )*+", re.ASCII), _QUOTES
)

WORD: Value = Opening(_WORD)
"""Up to white space, or to a quote behind which something else goes on."""

LINE: Value = Opening(Run(re.compile(r"(?:[^\r\n\"']++|[\"'](?=[^\s\])}]))*+", re.ASCII), _QUOTES))
"""Up to the end of the line or of the text that the line is quoted in."""

TOKEN: Value = Run(re.compile(rf"[\w.~+/={MARKS}-]*+", re.ASCII))
"""The characters of which tokens are made."""


@cache
def _quoted(quote: str, level: int) -> re.Pattern[str]:
    inner = rf"[^\\{quote}\r\n]++|\\{{{level + 1},}}(?=[^\\]){quote}?"
    fewer = rf"|\\{{1,{level}}}(?=[^\\{quote}])" if level else ""
    return re.compile(rf"(?:{inner}{fewer})*+")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
