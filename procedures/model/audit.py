"""The audit log: one chain of links through the events of all runs that change something.

A link says that an event stood in its run's journal, by the hash of its stored bytes. It is signed
by the front that wrote it. Each link holds the hash of the one before, so the hash of the last, the
head, stands for all of them: who keeps a head can tell later whether anything before it was
changed.
"""

import re
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import TypeAdapter

from procedures.model.canonical import Json, canonical
from procedures.model.ids import RunId

_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """A link by its number, from 1, and the hash of its stored bytes."""

    index: int
    hash: str

    def __str__(self) -> str:
        """As it is published."""
        return f"{self.index}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a published head. Raises ValueError when it is none."""
        found = _HEAD.fullmatch(text.strip())
        if found is None:
            message = f"{text!r} is no head: write it as it was published, INDEX:HASH"
            raise ValueError(message)
        return cls(int(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class Link:
    """The `index`-th link, from 1: the `seq`-th event of a run had this hash.

    `prev` is the hash of the link before, empty for the first; `at_ms` is when it was recorded.
    """

    index: int
    prev: str
    run: RunId
    seq: int
    hash: str
    at_ms: int
    writer: str
    kind: Literal["audit"] = "audit"
    v: Literal[1] = 1


_LINK: TypeAdapter[Link] = TypeAdapter(Link)


def encode_link(link: Link) -> bytes:
    """Write a link as the bytes that are signed and stored."""
    plain: Json = _LINK.dump_python(link, mode="json")
    return canonical(plain)


def decode_link(data: bytes) -> Link:
    """Read a link. Raises ValueError when the bytes are not one."""
    return _LINK.validate_json(data)


DAY_MS = 24 * 3600 * 1_000
"""So often a head is published, if there is a new one."""


@dataclass(frozen=True, slots=True)
class Published:
    """The head that was last published, and when; `wanted` is up to where one has to be."""

    head: Head | None
    at_ms: int
    wanted: int


def is_due(head: Head, published: Published, now_ms: int) -> bool:
    """Tell whether to publish a head: the first, one that is wanted, a new one each day."""
    last = published.head
    if last is None or last == head:
        return last is None
    return published.wanted > last.index or now_ms - published.at_ms >= DAY_MS
