"""The second stage: put marks in the place of what looks like a secret."""

from procedures.model.redaction.mark import is_mark, mark
from procedures.model.redaction.sign import LONGEST, Sign, Signs, undecided
from procedures.model.redaction.value import Value


class UnregisteredStream:
    """Put one mark in the place of each value behind a sign.

    `names` is the number of the mark for the first of `sign.NAMES`. A value that begins with a
    mark of the first stage keeps that one. It holds back what `sign.undecided` names, less than
    400 characters; and of a private key, which is dropped anyway, the line that is not whole.
    """

    __slots__ = ("_at", "_names", "_start", "_text", "_value")

    def __init__(self, names: int) -> None:
        """Begin."""
        self._names = names
        self._value: Value | None = None
        self._text = ""  # the end of the line so far, for signs that reach back, and what is held
        self._at = 0  # what is before has been dealt with
        self._start = 0  # signs begin here or later

    @property
    def held(self) -> int:
        """How many characters are held back."""
        return len(self._text) - self._at

    def feed(self, text: str) -> str:
        """Take more text; gives what is certain by now."""
        self._text += text
        return self._advanced(final=False)

    def close(self) -> str:
        """Give the rest; nothing may be fed any more."""
        return self._advanced(final=True)

    def _advanced(self, *, final: bool) -> str:
        pieces: list[str] = []
        small = self._text.lower()
        signs = Signs(small)
        while True:
            if self._value is not None:
                bite = self._value.bite(self._text, self._at, final=final)
                waits = (bite.end, bite.then) == (self._at, self._value)
                self._at = self._start = bite.end
                self._value = bite.then
                if waits:
                    break
            else:
                until = len(small) if final else undecided(small, self._start)
                sign = signs.first(self._start)
                if sign is None or sign.end > until:
                    pieces.append(self._text[self._at : until])
                    self._at = max(self._at, until)
                    break
                pieces += (self._text[self._at : sign.end], self._mark(sign))
                self._at = self._start = sign.end
                self._value = sign.value
        behind = max(self._text.rfind("\n", 0, self._at) + 1, self._at - LONGEST)
        self._text = self._text[behind:]
        self._at -= behind
        self._start = max(0, self._start - behind)
        return "".join(pieces)

    def _mark(self, sign: Sign) -> str:
        head = self._text[sign.end]
        return head if is_mark(head) else mark(self._names + sign.name)
