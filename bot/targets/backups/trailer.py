"""The proof that a snapshot is whole: its last 32 bytes are the SHA-256 of the rest. (R12)"""

import hashlib

_DIGEST = 32
_BLOCK = 512
"""etcd writes whole pages, which are multiples of this, and then the digest."""


class Trailer:
    """Judges a snapshot while it passes by, and holds back no more than its last 32 bytes.

    `size` counts the bytes so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._data = hashlib.sha256()
        self._end = b""

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes, however many."""
        self.size += len(chunk)
        if len(chunk) >= _DIGEST:
            self._data.update(self._end)
            self._data.update(memoryview(chunk)[:-_DIGEST])
            self._end = bytes(chunk[-_DIGEST:])
        else:
            joined = self._end + bytes(chunk)
            self._data.update(joined[:-_DIGEST])
            self._end = joined[-_DIGEST:]

    @property
    def sha256(self) -> str:
        """SHA-256 of all bytes so far, the last 32 included, in hexadecimal."""
        whole = self._data.copy()
        whole.update(self._end)
        return whole.hexdigest()

    @property
    def fault(self) -> str | None:
        """Say why what has passed is no whole snapshot; None: it is one. Begins with a verb."""
        if self.size == 0:
            return "is empty"
        if self.size % _BLOCK != _DIGEST or self.size == _DIGEST:
            return (
                f"is {self.size} bytes long, which no whole snapshot is: it was cut off, or it is "
                "a copy of a data file, without a SHA-256 at its end"
            )
        if self._data.digest() != self._end:
            return "is damaged: its last 32 bytes are not the SHA-256 of the rest"
        return None
