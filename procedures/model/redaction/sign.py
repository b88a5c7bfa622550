r"""What stands before a secret that nobody registered, and how such a secret goes on.

A sign is recognised by the text before a secret and its first character, so that all of it may
be shown as soon as it is read. Two cannot be told so early: of `://user:password@host` the `@`
must be seen, and of `Bearer word` so much of the word that it looks like a token.

Left out on purpose: `-p secret` and `-u name:password`, which are ports, paths and user ids in
too many programs.
"""

import re
from dataclasses import dataclass

from procedures.model.redaction.key_block import KeyBlock
from procedures.model.redaction.mark import MARKS
from procedures.model.redaction.value import (
    AUTHORITY,
    LINE,
    LONGEST_PASSWORD,
    TOKEN,
    WORD,
    Address,
    Quoted,
    Value,
)

LONGEST = 1_200
"""Characters beyond which no sign reaches back."""

NAMES = ("value", "password", "authorization", "token", "private-key")
"""What marks say where no name was registered."""

_VALUE, _PASSWORD, _AUTHORIZATION, _TOKEN, _KEY = range(len(NAMES))


@dataclass(frozen=True, slots=True)
class Sign:
    """A secret begins at `end`; `name` is a place in `NAMES`."""

    end: int
    name: int
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Signs of one kind, in small letters, that all have the same first letters.

    Where two of them overlap, the one that begins first ends first. A group `quote` holds the
    quote that the value is in.
    """

    begins: str
    pattern: re.Pattern[str]
    name: int
    value: Value

    def sign(self, found: re.Match[str]) -> Sign:
        """What was found."""
        quote = found.groupdict().get("quote")
        return Sign(found.end(), self.name, Quoted(quote) if quote else self.value)


class Signs:
    """All signs in a text of small letters, from a place on that only moves forwards."""

    __slots__ = ("_next", "_text")

    def __init__(self, text: str) -> None:
        """Prepare."""
        self._text = text
        self._next: dict[Kind, re.Match[str] | None] = {
            kind: None for kind in _KINDS if kind.begins in text
        }

    def first(self, start: int) -> Sign | None:
        """The sign with the first end among those that begin at `start` or later."""
        for kind, found in [*self._next.items()]:
            if found is None or found.start() < start:
                again = kind.pattern.search(self._text, start)
                if again is None:
                    del self._next[kind]
                else:
                    self._next[kind] = again
        signs = (kind.sign(found) for kind, found in self._next.items() if found is not None)
        return min(signs, key=lambda sign: sign.end, default=None)


def undecided(text: str, start: int) -> int:
    """Where the end of the text may be a sign, as more text will tell; its length if not."""
    found = _UNDECIDED.search(text, max(start, len(text) - _LONGEST_UNDECIDED))
    return len(text) if found is None else found.start()


_QUOTE = r"(?P<quote>[\"'])(?!(?P=quote))(?=[^\r\n])"
_BEGINS = r"(?=[^\s\"'])"
_IS = r"\\{0,7}[\"']?[ \t]{0,64}(?:=>|=(?!>)|:)[ \t]{0,64}"
_ITEMS = (
    r"passw(?:or)?d",
    r"passphrase",
    r"token(?<!cluster[-_]token)(?<!serviceaccounttoken)",  # those of etcd's and pods' settings
    r"api[-_]?key",
    r"key-data",
    r"secret[-_]?(?:access[-_]?)?key",
    r"client[-_]?secret",
)
_NEXT = r"(?:[ \t]{1,16}|\\{0,7}[\"'],[ \t]{0,16})"  # the next word, or item of a list
_LOGIN = rf"(?:=|{_NEXT})(?:{_QUOTE}|(?!system:))[^\s:=\"'/]{{1,64}}:{_BEGINS}"
_URL = r"://[^\s/\"'<>:\[]{0,128}:(?!\d{0,5}[/,;?#&|)}\]])"  # that would be a port
_MOST = LONGEST_PASSWORD


def _kind(pattern: str, name: int, value: Value) -> Kind:
    letters = re.match(r"[a-z0-9:/-]+", pattern)
    return Kind(letters[0] if letters else "", re.compile(pattern, re.ASCII), name, value)


# That each begins with fixed letters makes the search for it about a hundred times faster.
_KINDS = (
    *(_kind(f"{item}{_IS}(?:{_QUOTE}|{_BEGINS})", _VALUE, WORD) for item in _ITEMS),
    _kind(
        rf"--(?:[a-z]{{1,16}}-){{0,3}}(?:{'|'.join(_ITEMS)}){_NEXT}(?![=:])(?:{_QUOTE}|{_BEGINS})",
        _VALUE,
        WORD,
    ),
    _kind(rf"authorization{_IS}(?:{_QUOTE}|{_BEGINS})", _AUTHORIZATION, LINE),
    _kind(rf"--user(?:name)?{_LOGIN}", _PASSWORD, WORD),
    _kind(rf"etcdctl_user{_LOGIN}", _PASSWORD, WORD),
    _kind(
        rf"bearer(?<!\wbearer)[ \t]{{1,16}}(?=[a-z_.~+/-]{{0,15}}[0-9{MARKS}]|[a-z_.~+/-]{{16}})",
        _TOKEN,
        TOKEN,
    ),
    _kind(rf"xox[abeprs]-(?<![a-z0-9].{{5}})(?=[a-z0-9{MARKS}])", _TOKEN, TOKEN),
    _kind(rf"xapp-(?<![a-z0-9].{{5}})(?=[a-z0-9{MARKS}])", _TOKEN, TOKEN),
    _kind(rf"eyj(?<![\w-]eyj)(?:[\w-]{{6,1000}}\.|[\w-]{{1000}})(?=[\w{MARKS}-])", _TOKEN, TOKEN),
    _kind(  # "-----BEGIN RSA", "-----BEGIN PRIVATE", and so on, in base64
        rf"ls0tls1crudjtib(?:su0eg|quklw|fqyb|ftknsw|puevo|eu0eg)(?=[\w+/{MARKS}])", _KEY, TOKEN
    ),
    _kind(r"-----begin [a-z0-9 ]{0,32}private key(?: block)?-----(?=[\d\D])", _KEY, KeyBlock()),
    _kind(rf"{_URL}(?={AUTHORITY}{{1,{_MOST - 1}}}@|{AUTHORITY}{{{_MOST}}})", _PASSWORD, Address()),
)

# What of the signs above is recognised by more than one character.
_UNDECIDED = re.compile(
    rf"(?:{_URL}{AUTHORITY}{{0,{_MOST - 1}}}"
    r"|bearer(?<!\wbearer)[ \t]{1,16}[a-z_.~+/-]{0,15})\Z",
    re.ASCII,
)
_LONGEST_UNDECIDED = 3 + 128 + 1 + _MOST
