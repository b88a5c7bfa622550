"""A private key as it is printed: everything up to its END line, without waiting for it."""

import re
from dataclasses import dataclass

from procedures.model.redaction.value import Bite

LONGEST = 16 * 1024
"""Characters after which a key without an end is over; RSA with 16,384 bits has 12,600."""

_ODD_LINES = 4
_WORD = re.compile(r"\s*+\S*+\s*+")
_CODED = re.compile(r"[\w+/=\\]{40}")
_END = re.compile("-----END ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """What follows the BEGIN line of a private key.

    It ends before the END line; or after the fourth line in a row that does not look like a
    part of a key, of which some have a few at their head; or after `left` more characters.
    """

    left: int = LONGEST
    odd: int = 0

    def bite(self, text: str, at: int, *, final: bool) -> Bite:
        """Drop whole lines; the last one stays until it is whole."""
        left, odd = self.left, self.odd
        while True:
            newline = text.find("\n", at, at + left)
            line_end = newline + 1 or min(len(text), at + left)
            frame = _END.search(text, at, line_end)
            if frame is not None:
                return Bite(frame.start(), None)
            if newline < 0 and line_end < at + left and not final:
                return Bite(at, KeyBlock(left, odd))
            like = _WORD.fullmatch(text, at, line_end) or _CODED.search(text, at, line_end)
            odd = 0 if like else odd + 1
            left -= line_end - at
            at = line_end
            if odd == _ODD_LINES or left == 0 or (final and at == len(text)):
                return Bite(at, None)
