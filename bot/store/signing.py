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
        """Encode and sign an entry."""
        return self.sign(encode(entry))

    def sign(self, payload: bytes) -> bytes:
        """Sign what is stored: base64 of the signature, a space, the payload."""
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

    `version` counts all stored entries, good or not; `head` is the hash of the last one, `hashes`
    are those of all that were read.
    """

    entries: tuple[Entry, ...]
    version: int
    head: str
    faults: tuple[str, ...]
    hashes: tuple[str, ...] = ()


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
        hashes: list[str] = []
        for seq, raw in enumerate(stored):
            try:
                entries.append(self.verify(run, seq, head, raw))
            except ValueError as error:
                faults.append(f"{run}, entry {seq}: {error}")
            head = digest(raw)
            hashes.append(head)
        return Journal(tuple(entries), len(stored), head, tuple(faults), tuple(hashes))

    def verify(self, run: str, seq: int, head: str, raw: bytes) -> Entry:
        """Read one entry in its place. Raises ValueError, with why it does not count."""
        entry = decode(raw.partition(b" ")[2])
        writer = self.signed_by(entry.writer, raw)
        if writer.role not in WRITERS[type(entry.event)]:
            message = f"a {writer.role} may not write {entry.event.kind!r}"
            raise ValueError(message)
        if (entry.run, entry.seq, entry.prev) != (run, seq, head):
            message = "it was moved here from another place"
            raise ValueError(message)
        return entry

    def signed_by(self, name: str, raw: bytes) -> Writer:
        """The trusted writer of this name. Raises ValueError when it did not sign these bytes."""
        signature, _, payload = raw.partition(b" ")
        writer = self.writers.get(name)
        if writer is None:
            message = f"its writer {name!r} is not trusted"
            raise ValueError(message)
        try:
            decoded = base64.b64decode(signature, validate=True)
            writer.key.verify(decoded, payload)
        except (InvalidSignature, binascii.Error) as error:
            message = f"its signature is not {writer.id}'s"
            raise ValueError(message) from error
        if base64.b64encode(decoded) != signature:  # base64 has spare bits
            message = f"its signature is not as {writer.id} wrote it"
            raise ValueError(message)
        return writer
