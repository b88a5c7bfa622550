"""Whether the audit log and the journals are as they were written, as far as anybody can tell.

The log is checked in itself, against heads that were published, and against each journal. Whoever
can write to Redis but has no front's key cannot add to the log; what they change, remove, reorder
or roll back shows, up to the newest head that is given.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import ValidationError

from bot.store.links import claimed, read_link
from bot.store.signing import GENESIS, Keyring
from procedures.model.audit import Head, Link
from procedures.model.canonical import digest
from procedures.model.events import Entry, Planned, RefusedBy
from procedures.model.ids import RunId

GRACE_MS = 60_000
"""So long an event may be in its journal and not in the log: a front records it within seconds."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where; `run` is the one that it is about, where that is known."""

    where: str
    what: str
    run: RunId | None = None

    def __str__(self) -> str:
        """As one line."""
        return f"{self.where}: {self.what}"


class Verification:
    """Takes all links in, in order, then all journals, and tells what is wrong with them."""

    def __init__(self, keyring: Keyring, heads: Iterable[Head] = ()) -> None:
        self._keyring = keyring
        self._heads = dict.fromkeys(heads, "")
        self._recorded: dict[RunId, dict[int, str]] = {}
        self._next = 1
        self._prev: str | None = GENESIS
        self._grace_ms = GRACE_MS
        self.pending = 0
        self.head: Head | None = None

    @property
    def runs(self) -> frozenset[RunId]:
        """The runs in the log, as far as it was taken in."""
        return frozenset(self._recorded)

    def link(self, raw: bytes) -> Iterator[Fault]:
        """Take the next link in."""
        place = self.head.index + 1 if self.head else 1
        self.head = Head(place, digest(raw))
        for head in self._heads:
            if head.index == place:
                self._heads[head] = self.head.hash
        where = f"audit log, entry {place}"
        link = claimed(raw)
        about = f" (run {link.run}, event {link.seq})" if link else ""
        try:
            link = read_link(self._keyring, raw)
        except ValueError as error:
            yield Fault(where, f"{error}{about}", link.run if link else None)
            self._next, self._prev = self._next + 1, None
            return
        if what := self._displaced(link):
            yield Fault(where, f"{what}{about}", link.run)
        self._next, self._prev = link.index + 1, self.head.hash
        events = self._recorded.setdefault(link.run, {})
        if link.seq in events:
            yield Fault(where, f"this event is recorded before{about}", link.run)
        events.setdefault(link.seq, link.hash)

    def published(self) -> Iterator[Fault]:
        """Compare the whole log with the heads that were published."""
        length = self.head.index if self.head else 0
        for head, found in self._heads.items():
            if found == head.hash:
                continue
            self._grace_ms = 0
            if head.index > length:
                what = f"it ends at entry {length}, but {head} was published: it was cut off"
                yield Fault("audit log", f"{what} or rolled back")
            else:
                what = f"it is not the one that was published as {head}: it was replaced"
                yield Fault(f"audit log, entry {head.index}", f"{what} or the log rolled back")

    def journal(self, run: RunId, stored: Sequence[bytes], now_ms: int) -> Iterator[Fault]:
        """Compare a journal with what is recorded of it."""
        entries, faults = self._read(run, stored)
        recorded = self._recorded.get(run, {})
        if not recorded and not any(isinstance(e.event, Planned | RefusedBy) for e in entries):
            return  # it has changed nothing
        known = max(recorded, default=-1) + 1
        lost = [seq for seq in range(known) if seq in recorded and seq >= len(stored)]
        other = [
            seq
            for seq, raw in enumerate(stored[:known])
            if seq in recorded and digest(raw) != recorded[seq]
        ]
        new = [entry for entry in entries if entry.seq >= known]
        is_late = bool(new) and now_ms - new[0].at_ms > self._grace_ms
        self.pending += 0 if is_late else len(new)
        found = [
            ([seq for seq in range(known) if seq not in recorded], "missing from the audit log"),
            (lost, "missing at the end of its journal" if stored else "missing with its journal"),
            (other, "not what was recorded"),
            ([entry.seq for entry in new] if is_late else [], "not in the audit log"),
        ]
        for seqs, what in found:
            if seqs:
                yield Fault(f"run {run}", f"{_are(seqs)} {what}", run)
        if not other:  # else they follow from it
            yield from (Fault(f"run {run}", f"event {seq}: {why}", run) for seq, why in faults)

    def _read(
        self, run: RunId, stored: Sequence[bytes]
    ) -> tuple[list[Entry], list[tuple[int, str]]]:
        entries, faults, head = [], [], GENESIS
        for seq, raw in enumerate(stored):
            try:
                entries.append(self._keyring.verify(run, seq, head, raw))
            except ValidationError:
                faults.append((seq, "it cannot be read"))
            except ValueError as error:
                faults.append((seq, str(error)))
            head = digest(raw)
        return entries, faults

    def _displaced(self, link: Link) -> str:
        """Why a link that a front wrote does not belong where it stands; '' if it does."""
        if link.index > self._next:
            lost = _numbers(range(self._next, link.index))
            return f"it was written as entry {link.index}; missing before it: {lost}"
        if link.index < self._next:
            return f"it was written as entry {link.index}, and moved or repeated here"
        if self._prev is not None and link.prev != self._prev:
            return "the entry before it is not the one that it was written after"
        return ""


def _are(seqs: Sequence[int]) -> str:
    one = len(seqs) == 1
    return f"{'event' if one else 'events'} {_numbers(seqs)} {'is' if one else 'are'}"


def _numbers(numbers: Sequence[int]) -> str:
    """Ascending numbers, those in a row as `first to last`."""
    parts: list[str] = []
    for _, group in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
        row = [number for _, number in group]
        parts.append(f"{row[0]} to {row[-1]}" if len(row) > 1 else str(row[0]))
    return ", ".join(parts)
