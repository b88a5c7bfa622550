"""Who wrote an entry, and whether it is as it was written: Ed25519 over the stored bytes."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from procedures.model.canonical import digest
from procedures.model.events import WRITERS, Entry, Role, decode, encode

GENESIS = ""
"""What stands for the hash of the entry before the first."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A process's own identity: the id under which others know its key, and the key."""

    id: str
    key: Ed25519PrivateKey = field(repr=False)

    def seal(self, entry: Entry) -> bytes:
        """Encode and sign an entry: base64 of the signature, a space, the entry."""
        payload = encode(entry)
        return base64.b64encode(self.key.sign(payload)) + b" " + payload


@dataclass(frozen=True, slots=True)
class Writer:
    """A process that others trust to write what its role may write."""

    id: str
    role: Role
    key: Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Journal:
    """The verified entries of one run, and what was found that should not be there.

    `version` counts all stored entries, good or not; `head` is the hash of the last one.
    """

    entries: tuple[Entry, ...]
    version: int
    head: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keyring:
    """The writers that are trusted, by id."""

    writers: Mapping[str, Writer]

    def read(self, run: str, stored: Sequence[bytes]) -> Journal:
        """Verify the stored entries of a run.

        An entry that is not readable, not signed by a trusted writer, not that writer's to
        write, not of this run, or not in its place is left out and named among the faults.
        """
        entries: list[Entry] = []
        faults: list[str] = []
        head = GENESIS
        for seq, raw in enumerate(stored):
            try:
                entries.append(self._verify(run, seq, head, raw))
            except ValueError as error:
                faults.append(f"{run}, entry {seq}: {error}")
            head = digest(raw)
        return Journal(tuple(entries), len(stored), head, tuple(faults))

    def _verify(self, run: str, seq: int, head: str, raw: bytes) -> Entry:
        signature, _, payload = raw.partition(b" ")
        entry = decode(payload)
        writer = self.writers.get(entry.writer)
        if writer is None:
            message = f"its writer {entry.writer!r} is not trusted"
            raise ValueError(message)
        try:
            writer.key.verify(base64.b64decode(signature, validate=True), payload)
        except (InvalidSignature, binascii.Error) as error:
            message = f"its signature is not {writer.id}'s"
            raise ValueError(message) from error
        if WRITERS[type(entry.event)] is not writer.role:
            message = f"a {writer.role} may not write {entry.event.kind!r}"
            raise ValueError(message)
        if (entry.run, entry.seq, entry.prev) != (run, seq, head):
            message = "it was moved here from another place"
            raise ValueError(message)
        return entry
