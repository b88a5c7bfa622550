"""Links of the audit log as they are stored: signed by the front that wrote them."""

from collections.abc import Iterable

from pydantic import ValidationError

from bot.store.signing import Keyring, Signer
from procedures.model.audit import Head, Link, decode_link, encode_link
from procedures.model.canonical import digest
from procedures.model.events import Role
from procedures.model.ids import RunId


def extension(
    signer: Signer, head: Head | None, events: Iterable[tuple[RunId, int, bytes]], at_ms: int
) -> list[bytes]:
    """Make the links that record these stored events (run, seq, bytes) after a head."""
    index, prev = (head.index, head.hash) if head else (0, "")
    links: list[bytes] = []
    for run, seq, stored in events:
        index += 1
        link = Link(index, prev, run, seq, digest(stored), at_ms, signer.id)
        links.append(signer.sign(encode_link(link)))
        prev = digest(links[-1])
    return links


def read_link(keyring: Keyring, raw: bytes) -> Link:
    """Read a link, wherever it stands. Raises ValueError when no trusted front signed it."""
    link = claimed(raw)
    if link is None:
        message = "it cannot be read"
        raise ValueError(message)
    writer = keyring.signed_by(link.writer, raw)
    if writer.role is not Role.FRONT:
        message = f"a {writer.role} may not write it"
        raise ValueError(message)
    return link


def claimed(raw: bytes) -> Link | None:
    """What the bytes say, whoever wrote them; None when they say nothing."""
    try:
        return decode_link(raw.partition(b" ")[2])
    except ValidationError:
        return None
