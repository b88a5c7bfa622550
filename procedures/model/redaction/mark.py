"""What is shown in place of a secret: `[secret redis-password]`.

On its way through the stages, text is a `str` of one character for each byte (Latin-1), and a
mark is one character above them. So no output can pass for a mark, and no mark for a secret.
"""

import re
from collections.abc import Sequence

_FIRST = 0xF0000
MARKS = f"{chr(_FIRST)}-{chr(_FIRST + 0xFFFF)}"
"""All marks, as a range in a class of characters."""

_MARK = re.compile(f"[{MARKS}]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


def is_name(text: str) -> bool:
    """Tell whether a mark can show it: 1 to 64 letters, digits and `._/-`."""
    return _NAME.fullmatch(text) is not None


def mark(number: int) -> str:
    """The character that stands for a secret by its number, below 65,536."""
    return chr(_FIRST + number)


def is_mark(character: str) -> bool:
    """Tell marks from text."""
    return ord(character) >= _FIRST


def shown(name: str) -> str:
    """A mark as people see it."""
    return f"[secret {name}]"


def written(text: str, names: Sequence[str]) -> bytes:
    """Turn marks into what people see, and the rest into the bytes that it was."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        whole = _MARK.sub(lambda found: shown(names[ord(found[0]) - _FIRST]), text)
        return whole.encode("latin-1")
