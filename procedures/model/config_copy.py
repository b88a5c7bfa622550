"""A copy of what configures etcd on one host: files with their attributes. (catalogue P21)

A member's own keys are among them: without its key a certificate is worth nothing, and the place
that keeps the copies keeps snapshots of the whole key space too, under the same lock (0600). The
key of an authority is not: whoever has it can make members and clients for years.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from procedures.model.ids import ClusterName
from procedures.model.member import Identity

_AUTHORITY_KEYS = ("ca.key", "ca-key.pem")
_PACKED = (".tgz", ".tar", ".gz", ".bz2", ".xz", ".zip", ".7z", ".p12", ".pfx", ".jks")
_PACKED_BEGIN = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04")
_TAR_AT, _TAR = 257, b"ustar"


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file as it lay on its host. `context` is its SELinux label, if any."""

    path: str
    content: bytes = field(repr=False)
    mode: int
    owner: str
    group: str
    context: str | None = None

    @property
    def sha256(self) -> str:
        """Of its content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def secret(self) -> bool:
        """Tell whether it holds a private key, so that nothing of it may be shown."""
        return b"PRIVATE KEY" in self.content


@dataclass(frozen=True, slots=True)
class ConfigCopy:
    """All of one host, by path. `member` is who lived there; `machine_id` the installation."""

    cluster: ClusterName
    host: str
    address: str
    machine_id: str
    member: Identity
    taken_at_ms: int
    files: tuple[CopiedFile, ...]

    @property
    def name(self) -> str:
        """`HOST-UTC_TIME-SHORT_SHA256`, the last over all but the time."""
        taken = datetime.fromtimestamp(self.taken_at_ms / 1_000, UTC)
        return f"{self.host}-{taken:%Y%m%dT%H%M%SZ}-{self.sha256[:12]}"

    @property
    def sha256(self) -> str:
        """Over whose it is and each file with its attributes, in hexadecimal."""
        parts = [self.cluster, self.host, self.address, self.machine_id]
        parts += [self.member.id, self.member.name, *self.member.peer_urls]
        for each in self.files:
            parts += [each.path, each.sha256, f"{each.mode:o}", each.owner, each.group]
            parts.append(each.context or "")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def file(self, path: str) -> CopiedFile | None:
        """One of its files."""
        return next((each for each in self.files if each.path == path), None)


@dataclass(frozen=True, slots=True)
class Listed:
    """A copy by its name, without what is in it."""

    cluster: ClusterName
    name: str
    host: str
    taken_at_ms: int


def copied(names: Iterable[str]) -> tuple[str, ...]:
    """Choose from the names in a folder those that are copied: no authority's key, nothing hidden.

    Nor what somebody kept of that key beside it, such as `ca.key.bak`. What Quorumbot keeps of a
    file that it replaced is hidden. Nor is an archive copied: nothing is
    configured by one, and openshift-ansible packs the CA's folder into some, key and all
    (`generated_certs/etcd_ca.tgz`).
    """
    return tuple(
        sorted(
            each
            for each in names
            if not each.startswith(_AUTHORITY_KEYS)
            and not each.startswith(".")
            and not each.lower().endswith(_PACKED)
        )
    )


def packed(content: bytes) -> bool:
    """Tell whether a file is an archive, whatever its name: a key in it shows in no look at it."""
    return content.startswith(_PACKED_BEGIN) or content[_TAR_AT:].startswith(_TAR)
