"""From bytes to lines of text."""

from collections.abc import Iterator

LINE_BYTES = 64 * 1024
"""A line that is longer is cut into several."""


class Lines:
    """Cuts output into lines. `taken` counts the bytes of all lines that were given out.

    What is no UTF-8 is written as `\\xff`; of a carriage return at the end nothing is left.
    """

    def __init__(self, taken: int) -> None:
        self.taken = taken
        self._rest = bytearray()

    @property
    def waiting(self) -> int:
        """So many bytes wait for the end of their line."""
        return len(self._rest)

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Give all whole lines."""
        self._rest += chunk
        begin = 0
        while (end := self._rest.find(b"\n", begin)) >= 0 or len(self._rest) - begin > LINE_BYTES:
            if end < 0 or end - begin > LINE_BYTES:
                end = self._cut(begin)
                after = end
            else:
                after = end + 1
            self.taken += after - begin
            yield _text(self._rest[begin:end])
            begin = after
        del self._rest[:begin]

    def end(self) -> Iterator[str]:
        """Give what is left when no newline comes any more."""
        if self._rest:
            self.taken += len(self._rest)
            yield _text(self._rest)
            self._rest.clear()

    def _cut(self, begin: int) -> int:
        """Where a long line is cut: not within a character."""
        end = begin + LINE_BYTES
        while end > begin + LINE_BYTES - 4 and self._rest[end] & 0xC0 == 0x80:
            end -= 1
        return end


def _text(line: bytearray) -> str:
    return line.decode(errors="backslashreplace").removesuffix("\r")
