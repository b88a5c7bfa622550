"""The forms in which a secret is looked for: itself, in hexadecimal, and in base64."""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from procedures.model.redaction.spelling import (
    JUNK,
    Node,
    Spellings,
    fold,
    of_byte,
    of_character,
    of_digit,
    tree,
    wrapped_tree,
)

LEAST_FOLDED = 6
"""Bytes that a secret has at least when it is folded."""

LEAST_LINE = 16
"""Bytes from which on a line of a secret of several lines is itself a secret."""

_LINE = re.compile(rb"\S[^\n]*\S")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unit:
    """One byte of a form: its spellings where the form starts, and further in.

    `silent` when it may also leave nothing, as white space does.
    """

    first: Node
    later: Node
    silent: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Form:
    """One way to write the secret whose number this is; no two compare equal.

    What is written from any of `starts` to any of `ends` gives the secret away.
    """

    secret: int
    units: tuple[Unit, ...]
    starts: tuple[int, ...]
    ends: frozenset[int]

    def reach(self, position: int) -> range:
        """The positions that are reached with a position: those behind silent units too."""
        last = position
        while last < len(self.units) and self.units[last].silent:
            last += 1
        return range(position, last + 1)


def forms(secret: int, value: bytes) -> tuple[Form, ...]:
    """All forms of a secret. White space at its ends is no part of it."""
    value = value.strip()
    parts = _parts(value)
    return (
        _plain(secret, value, parts),
        _hex(secret, value, parts),
        *(_base64(secret, value, parts, before) for before in range(3)),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """Where, in bytes, what is secret by itself starts and ends."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]


def _parts(value: bytes) -> _Parts:
    """The whole, each long line, and all lines between those that frame a key.

    Such a frame is no secret, and it tells of other keys, which nobody registered.
    """
    lines = [found.span() for found in _LINE.finditer(value) if found[0][:5] != b"-----"]
    spans = [*lines, (lines[0][0], lines[-1][1])] if lines else []
    long = [
        (start, end)
        for start, end in spans
        if end - start >= LEAST_LINE and len(fold(value[start:end])) >= LEAST_FOLDED
    ]
    starts, ends = zip((0, len(value)), *long, strict=True)
    return _Parts(tuple(sorted(set(starts))), tuple(sorted(set(ends))))


def _plain(secret: int, value: bytes, parts: _Parts) -> Form:
    units = (
        _unit(of_byte(byte) | of_character(value, at), silent=byte in JUNK)
        for at, byte in enumerate(value)
    )
    return Form(secret, tuple(units), parts.starts, frozenset(parts.ends))


def _hex(secret: int, value: bytes, parts: _Parts) -> Form:
    units = _units([digit] for digit in value.hex().encode())
    starts = tuple(2 * start for start in parts.starts)
    return Form(secret, units, starts, frozenset(2 * end for end in parts.ends))


def _base64(secret: int, value: bytes, parts: _Parts, before: int) -> Form:
    """The form behind so many bytes in a group of three.

    The characters at its ends also hold bits of its neighbours: any that fits is taken as well.
    """
    padding = -(before + len(value)) % 3
    low = b64encode(bytes(before) + value + bytes(padding))
    high = b64encode(b"\xff" * before + value + b"\xff" * padding)
    written = [_between(*ends) for ends in zip(low, high, strict=True)][before:]
    certain = len(written) - padding - bool(padding)
    choices = [*written[: certain + bool(padding)], *[b"="] * padding]
    # Of a line in the middle only the characters that hold nothing else.
    starts = {-(-8 * (before + start) // 6) - before for start in parts.starts}
    ends = {8 * (before + end) // 6 - before for end in parts.ends}
    return Form(
        secret,
        _units(choices),
        tuple(sorted(starts | {0})),
        frozenset(ends | set(range(certain, len(choices) + 1))),
    )


_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _between(low: int, high: int) -> bytes:
    """The characters whose bits are set where `low`'s are, and not where `high`'s are not."""
    least, most = _ALPHABET.index(low), _ALPHABET.index(high)
    return bytes(
        character
        for bits, character in enumerate(_ALPHABET)
        if bits & least == least and bits | most == most
    )


def _units(choices: Iterable[Sequence[int]]) -> tuple[Unit, ...]:
    return tuple(
        _unit(frozenset().union(*(of_digit(byte) for byte in choice)), silent=False)
        for choice in choices
    )


@cache
def _unit(spellings: Spellings, *, silent: bool) -> Unit:
    return Unit(tree(spellings), wrapped_tree(spellings), silent)
