"""The first stage: find registered secrets in a stream of bytes, and put marks in their place."""

from dataclasses import dataclass, replace
from functools import reduce
from itertools import compress
from operator import getitem, length_hint

from procedures.model.redaction.automaton import Automaton, Found
from procedures.model.redaction.mark import mark
from procedures.model.redaction.spelling import fold, kept


@dataclass(frozen=True, slots=True)
class Cover:
    """Bytes that secrets which overlap cover; `secret` is the longest, of `length` folded."""

    start: int
    end: int
    length: int
    secret: int


class RegisteredStream:
    """Put one mark in place of each cover.

    It holds back only what may still begin a secret, and never more than `reach` bytes: of a
    secret over more than these, because of white space inside, the mark covers the last.
    """

    __slots__ = ("_covers", "_held", "_reach", "_state")

    def __init__(self, automaton: Automaton, reach: int) -> None:
        """Begin."""
        self._state = automaton.start
        self._reach = reach
        self._held = b""
        self._covers: list[Cover] = []

    @property
    def held(self) -> int:
        """How many bytes are held back."""
        return len(self._held)

    def feed(self, data: bytes) -> str:
        """Take more bytes; gives what is certain by now."""
        text = self._held + data
        self._find(text, fold(data))
        return self._released(text, self._oldest(text))

    def close(self, *, cut: bool) -> str:
        """Give the rest; nothing may be fed any more.

        Where the output was `cut`, what may be a good part of a secret gets a mark as well.
        """
        begun = self._state.longest_begun() if cut else None
        if begun is not None:
            depth, secret = begun
            start = self._start(self._held, depth)
            _join(self._covers, Cover(start, len(self._held), depth, secret))
        return self._released(self._held, len(self._held))

    def _find(self, text: bytes, folded: bytes) -> None:
        """Read the folded bytes, with which `text` ends, and note what the secrets cover."""
        unread = iter(folded)
        places: list[int] = []
        while True:
            try:
                self._state = reduce(getitem, unread, self._state)
            except Found as found:
                self._state = found.state
                places = places or _places(text)
                self._note(places, len(places) - length_hint(unread))
            else:
                return

    def _note(self, places: list[int], count: int) -> None:
        """Cover the longest secret that ends with the first `count` places."""
        if self._state.end is None:
            return
        length, secret = self._state.end
        end = places[count - 1] + 1
        start = places[count - length] if length <= count else 0
        _join(self._covers, Cover(max(start, end - self._reach), end, length, secret))

    def _oldest(self, text: bytes) -> int:
        """Where the first secret may have begun; the end of the text if none may."""
        depth = self._state.depth
        return self._start(text, depth) if depth else len(text)

    def _start(self, text: bytes, depth: int) -> int:
        """Where so many of the bytes that folding keeps begin, but within reach."""
        tail = text[-2 * depth - 16 :]  # enough, unless much of it is white space
        places = _places(tail)
        if len(places) < depth:
            tail, places = text, _places(text)
        start = len(text) - len(tail) + places[-depth] if depth <= len(places) else 0
        return max(start, len(text) - self._reach)

    def _released(self, text: bytes, safe: int) -> str:
        """Give the text up to `safe` and keep the rest, with the covers that may still grow."""
        pieces: list[str] = []
        position = 0
        ready = [cover for cover in self._covers if cover.end <= safe]
        for cover in ready:
            pieces += (text[position : cover.start].decode("latin-1"), mark(cover.secret))
            position = cover.end
        growing = self._covers[len(ready) :]
        until = min(safe, growing[0].start) if growing else safe
        pieces.append(text[position:until].decode("latin-1"))
        self._held = text[safe:]
        self._covers = [
            replace(cover, start=max(0, cover.start - safe), end=cover.end - safe)
            for cover in growing
        ]
        return "".join(pieces)


def _places(text: bytes) -> list[int]:
    """Where the bytes are that folding keeps."""
    return [*compress(range(len(text)), kept(text))]


def _join(covers: list[Cover], cover: Cover) -> None:
    """Add a cover that ends last; those that it overlaps become one with it."""
    while covers and cover.start < covers[-1].end:
        other = covers.pop()
        longest = max(other, cover, key=lambda one: (one.length, -one.secret))
        cover = replace(longest, start=min(other.start, cover.start), end=cover.end)
    covers.append(cover)
