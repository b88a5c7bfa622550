"""Copies of configurations, each one file, beside the snapshots of its cluster.

A copy is a JSON document of its own, named `HOST-UTC_TIME-SHORT_SHA256.config.json`. It gets its
name when it is whole, and is only believed when what is in it makes that name again.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from bot.targets.backups.disk_errors import disk_errors
from bot.targets.backups.folder import SCRATCH, Folder
from bot.targets.backups.lane import in_thread
from bot.targets.backups.naming import checked_cluster
from procedures.model.config_copy import ConfigCopy, CopiedFile, Listed
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberId
from procedures.model.member import Identity

if TYPE_CHECKING:
    from bot.targets.backups.bucket import Bucket

LIMIT = 32 * 1024**2
"""No copy is larger, in bytes."""

_END = ".config.json"
_NAME = re.compile(r"(?P<host>[a-z0-9][a-z0-9.-]*)-(?P<taken>\d{8}T\d{6}Z)-[0-9a-f]{12}")


class Shelf(Protocol):
    """Where documents lie, by cluster and name. Calls block, and raise errors of our own."""

    def names(self, cluster: str) -> list[str]:
        """All that lies there."""
        ...

    def put(self, cluster: str, name: str, document: bytes) -> None:
        """Store one under its name at once, for us alone to read."""
        ...

    def get(self, cluster: str, name: str) -> bytes | None:
        """Read one; None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Copies:
    """Implements `procedures.engine.config_copies.ConfigCopies` over a shelf."""

    shelf: Shelf

    async def keep(self, copy: ConfigCopy) -> None:
        """Store a copy, and read it again."""
        cluster, document = checked_cluster(copy.cluster), to_document(copy)
        if len(document) > LIMIT:
            message = f"The configuration of {copy.host} is larger than {LIMIT >> 20} MiB."
            raise Permanent(message)
        await in_thread(lambda _: self.shelf.put(cluster, f"{copy.name}{_END}", document))
        if await self.read(copy.cluster, copy.name) != copy:
            message = f"{copy.name} is not there as it was stored: look at the place for backups."
            raise Permanent(message)

    async def listing(self, cluster: ClusterName) -> tuple[Listed, ...]:
        """All copies of a cluster's hosts, the newest first."""
        name = checked_cluster(cluster)
        found = await in_thread(lambda _: self.shelf.names(name))
        listed = [each for name in found if (each := _listed(cluster, name))]
        return tuple(sorted(listed, key=lambda each: (each.taken_at_ms, each.name), reverse=True))

    async def read(self, cluster: ClusterName, name: str) -> ConfigCopy:
        """Read one, whole as it was stored. Raises Permanent."""
        folder = checked_cluster(cluster)
        if not _NAME.fullmatch(name):
            message = f"{name!r} is no name of a copy of a configuration."
            raise Permanent(message)
        document = await in_thread(lambda _: self.shelf.get(folder, f"{name}{_END}"))
        if document is None:
            message = f"There is no copy {name} of {cluster}."
            raise Permanent(message)
        copy = from_document(document)
        if copy is None or (copy.cluster, copy.name) != (cluster, name):
            message = f"The copy {name} of {cluster} is damaged: it is not as it was stored."
            raise Permanent(message)
        return copy


@dataclass(slots=True)
class MemoryShelf:
    """A shelf in memory, for tests to look at and to spoil."""

    documents: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def names(self, cluster: str) -> list[str]:
        """All that lies there."""
        return [name for of, name in self.documents if of == cluster]

    def put(self, cluster: str, name: str, document: bytes) -> None:
        """Store one."""
        self.documents[cluster, name] = document

    def get(self, cluster: str, name: str) -> bytes | None:
        """Read one."""
        return self.documents.get((cluster, name))


@dataclass(frozen=True, slots=True)
class LocalShelf:
    """A directory of this machine."""

    directory: Path

    def names(self, cluster: str) -> list[str]:
        """All that lies there."""
        folder = Folder.open(self.directory, cluster, create=False)
        if folder is None:
            return []
        with closing(folder), disk_errors(folder.path):
            return folder.names()

    def put(self, cluster: str, name: str, document: bytes) -> None:
        """Store one."""
        folder = Folder.open(self.directory, cluster, create=True)
        assert folder is not None  # noqa: S101 (it was created)
        scratch = f"{SCRATCH}{uuid4().hex}"
        with closing(folder), disk_errors(folder.path):
            try:
                with os.fdopen(folder.create(scratch), "wb") as file:
                    file.write(document)
                    file.flush()
                    os.fsync(file.fileno())
                folder.rename(scratch, name)
            finally:
                folder.remove(scratch)

    def get(self, cluster: str, name: str) -> bytes | None:
        """Read one."""
        folder = Folder.open(self.directory, cluster, create=False)
        if folder is None:
            return None
        with closing(folder), disk_errors(folder.path):
            try:
                descriptor = folder.read(name)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                return file.read(LIMIT + 1)


@dataclass(frozen=True, slots=True)
class BucketShelf:
    """A bucket, below a prefix that is empty or ends with a slash."""

    bucket: "Bucket"
    prefix: str

    def names(self, cluster: str) -> list[str]:
        """All that lies there."""
        prefix = f"{self.prefix}{cluster}/"
        return [key.removeprefix(prefix) for key in self.bucket.sizes(prefix)]

    def put(self, cluster: str, name: str, document: bytes) -> None:
        """Store one."""
        self.bucket.put(f"{self.prefix}{cluster}/{name}", document)

    def get(self, cluster: str, name: str) -> bytes | None:
        """Read one."""
        blocks = self.bucket.get(f"{self.prefix}{cluster}/{name}", 1 << 20)
        return None if blocks is None else _joined(blocks)


def _joined(blocks: Generator[bytes, None, None]) -> bytes:
    document = bytearray()
    with closing(blocks):
        for block in blocks:
            document += block
            if len(document) > LIMIT:
                break
    return bytes(document)


def _listed(cluster: ClusterName, name: str) -> Listed | None:
    found = _NAME.fullmatch(name.removesuffix(_END)) if name.endswith(_END) else None
    if found is None:
        return None
    taken = datetime.strptime(found["taken"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    at_ms = int(taken.timestamp()) * 1_000
    return Listed(cluster, name.removesuffix(_END), found["host"], at_ms)


def to_document(copy: ConfigCopy) -> bytes:
    """Write a copy as it is stored."""
    files = [
        {
            "path": each.path,
            "sha256": each.sha256,
            "mode": f"{each.mode:o}",
            "owner": each.owner,
            "group": each.group,
            "context": each.context,
            "content_base64": base64.b64encode(each.content).decode(),
        }
        for each in copy.files
    ]
    member = copy.member
    document = {
        "cluster": copy.cluster,
        "host": copy.host,
        "address": copy.address,
        "machine_id": copy.machine_id,
        "member": {"id": member.id, "name": member.name, "peer_urls": list(member.peer_urls)},
        "taken_at_ms": copy.taken_at_ms,
        "files": files,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def from_document(document: bytes) -> ConfigCopy | None:
    """Read it; None for what is none."""
    try:
        found: dict[str, Any] = json.loads(document)
        member = found["member"]
        return ConfigCopy(
            cluster=ClusterName(found["cluster"]),
            host=found["host"],
            address=found["address"],
            machine_id=found["machine_id"],
            member=Identity(MemberId(member["id"]), member["name"], tuple(member["peer_urls"])),
            taken_at_ms=found["taken_at_ms"],
            files=tuple(_file(each) for each in found["files"]),
        )
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None


def _file(found: dict[str, Any]) -> CopiedFile:
    return CopiedFile(
        path=found["path"],
        content=base64.b64decode(found["content_base64"], validate=True),
        mode=int(found["mode"], 8),
        owner=found["owner"],
        group=found["group"],
        context=found["context"],
    )
