"""How one byte may be written: as it is, or escaped for a URL, JSON, a shell or HTML.

Text is compared folded: white space, quotes and backslashes are dropped, letters are small, and
the two alphabets of base64 are one. So a line wrap with its indentation, a shell's quoting and
most of JSON's escapes vanish before anything is compared. What stays of the others, such as the
`u0022` of a quote in JSON, is spelled out here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

JUNK = b" \t\r\n\\'\""
"""What folding drops."""

_FOLDED = bytes(range(256)).lower().translate(bytes.maketrans(b"-_", b"+/"))
_KEPT = bytes(byte not in JUNK for byte in range(256))
_LETTERS: Mapping[int, str] = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 27: "e"}
_ENTITIES: Mapping[str, str] = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_WRAPS = (b"", b"n", b"rn", b"%0a", b"%0d%0a")  # \n, \r\n and their percent-encodings, folded


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """A place in a tree of spellings. Each of `widths`: a spelling of so many bytes ends here."""

    children: Mapping[int, "Node"]
    widths: tuple[int, ...]


Spellings = frozenset[tuple[bytes, int]]
"""Folded ways to write what comes next, each with how many bytes of the original it stands for."""


def fold(data: bytes) -> bytes:
    """Drop and level what does not count in a comparison."""
    return data.translate(_FOLDED, JUNK)


def kept(data: bytes) -> bytes:
    """For each byte 1 when folding keeps it, else 0."""
    return data.translate(_KEPT)


@cache
def of_byte(byte: int) -> Spellings:
    """Every way to write one byte that leaves something when folded."""
    point = f"u{byte:04x}" if byte < 0x80 else f"udc{byte:02x}"  # the latter: surrogateescape
    written = {f"%{byte:02x}", point, f"x{byte:02x}", _LETTERS.get(byte, "")}
    written.add(_ENTITIES.get(chr(byte), ""))
    if not chr(byte).isalnum() or byte >= 0x80:
        written.add(f"{byte:03o}")
    if byte == ord(" "):
        written.add("+")
    escaped = {text.encode() for text in written} | {fold(bytes([byte]))}
    return frozenset((spelling, 1) for spelling in escaped if spelling)


@cache
def of_digit(byte: int) -> Spellings:
    """Every way to write a digit of hexadecimal or base64: letters and figures as they are."""
    return frozenset({(fold(bytes([byte])), 1)}) if chr(byte).isalnum() else of_byte(byte)


def of_character(data: bytes, start: int) -> Spellings:
    """How JSON and Python escape the character of several bytes that starts there, if one does."""
    for width in (2, 3, 4):
        try:
            character = data[start : start + width].decode()
        except UnicodeDecodeError:
            continue
        if len(character) == 1:
            units = character.encode("utf-16-be").hex()
            points = {
                "".join(f"u{units[at : at + 4]}" for at in range(0, len(units), 4)),
                f"u{ord(character):08x}",  # this, and the next for the first 256, are Python's
                f"x{ord(character):02x}",
            }
            return frozenset((point.encode(), width) for point in points)
    return frozenset()


@cache
def tree(spellings: Spellings) -> Node:
    """Arrange spellings so that they can be followed byte by byte."""
    return _tree(spellings)


@cache
def wrapped_tree(spellings: Spellings) -> Node:
    """The same, each with or without an escaped line break before it."""
    return _tree((wrap + text, width) for text, width in spellings for wrap in _WRAPS)


def _tree(spellings: Iterable[tuple[bytes, int]]) -> Node:
    tails: dict[int, list[tuple[bytes, int]]] = {}
    widths = []
    for text, width in spellings:
        if text:
            tails.setdefault(text[0], []).append((text[1:], width))
        else:
            widths.append(width)
    return Node({byte: _tree(rest) for byte, rest in tails.items()}, tuple(widths))
