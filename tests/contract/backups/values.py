"""Clusters, origins and streams for tests of backups."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

from procedures.model.ids import ClusterName, MemberId, MemberName, Site
from procedures.model.inventory import Cluster, Platform
from procedures.model.snapshot import Origin


def a_cluster(name: str = "prod") -> Cluster:
    return Cluster(
        name=ClusterName(name),
        platform=Platform.ETCD,
        site=Site("default"),
        endpoints={MemberName("one"): "https://127.0.0.1:1"},
        tls=None,
    )


def an_origin(
    revision: int, *, version: str = "3.4.23", quorum: bool = True, db_size: int = 0
) -> Origin:
    return Origin(MemberId("8e9e05c52164694d"), "one", version, revision, quorum, db_size)


async def stream(data: bytes, size: int = 32 * 1024) -> AsyncIterator[bytes]:
    """Give bytes the way etcd does."""
    for start in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[start : start + size]


def sealed(data: bytes) -> bytes:
    """Add the SHA-256 that a snapshot has at its end."""
    return data + hashlib.sha256(data).digest()


def flipped(data: bytes, at: int) -> bytes:
    """Change one bit of the byte at a place."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def random_bytes(size: int) -> bytes:
    return os.urandom(size)
