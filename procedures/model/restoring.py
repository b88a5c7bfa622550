"""Restoring an etcd cluster from a snapshot: by which tool, to which names and ids. (P34, R14)"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from procedures.model.ids import MemberId, RunId, hex_id
from procedures.model.paths import scratch

RUN = RunId("RUN")
"""Stands in a plan for the id of the run, which has none before somebody asks for it."""

BUMP = 1_000_000_000
"""By so much revisions grow, so that no client has seen a higher one: the operator of OpenShift 4
takes the same where it does not know how far the cluster had come.
"""

_FIRST_WITH_ETCDUTL, _FIRST_WITHOUT_ETCDCTL = (3, 5), (3, 6)
_NEEDED = ("--data-dir", "--initial-cluster-token", "--initial-advertise-peer-urls")
_BUMPING = ("--bump-revision", "--mark-compacted")


@dataclass(frozen=True, slots=True)
class Pinned:
    """The snapshot that is meant, and what the real tool read of it when it was stored."""

    name: str
    sha256: str
    size: int
    hash: str
    revision: int
    total_keys: int


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that restores on a host, of the server's minor; whether it `bumps` revisions."""

    program: str
    minor: str
    bumps: bool

    def argv(self, *words: str) -> tuple[str, ...]:
        """A call of it. etcdctl before 3.4 has to be told which API is meant."""
        if self.program.endswith("etcdctl"):
            return ("env", "ETCDCTL_API=3", self.program, *words)
        return (self.program, *words)


@dataclass(frozen=True, slots=True)
class Seed:
    """The one member of the restored cluster, as its host's configuration has it."""

    name: str
    peer_urls: tuple[str, ...]


def minor_of(version: str) -> str:
    """`3.4` of `3.4.23`."""
    return ".".join(version.split(".")[:2])


def tools(minor: str) -> tuple[str, ...]:
    """Which programs may restore for this minor of the server, the better one first. (X21)"""
    major, _, after = minor.partition(".")
    number = int(major), int(after)
    return (
        *(["etcdutl"] if number >= _FIRST_WITH_ETCDUTL else []),
        *(["etcdctl"] if number < _FIRST_WITHOUT_ETCDCTL else []),
    )


def restores(help_text: str) -> bool:
    """Tell from `snapshot restore --help` whether a program restores.

    Where a program has no such command, it prints the help of `snapshot`, with status 0.
    """
    return all(flag in help_text for flag in _NEEDED)


def bumps(help_text: str) -> bool:
    """Tell whether it has both flags; one without the other is refused by it."""
    return all(flag in help_text for flag in _BUMPING)


def token(run: RunId) -> str:
    """The new cluster's token: no run has that of another, so no old member fits in. (X11)"""
    return f"quorumbot-{run}"


def snapshot_file(run: RunId) -> str:
    """Where the snapshot lies on the host; nobody else can read it there."""
    return f"{scratch(run)}/snapshot.db"


def folder(data: str, run: RunId) -> str:
    """Where it is restored: inside the data folder, so that a change of name puts it in place.

    The data folder is often a mount of its own, which cannot be moved. (X16)
    """
    return f"{data}/quorumbot-{run}"


def aside(data: str, run: RunId) -> str:
    """The new name of the old data."""
    return f"{data}/member.before-{run}"


def restore_argv(tool: Tool, seed: Seed, data: str, run: RunId) -> tuple[str, ...]:
    """Restore into a folder. The SHA-256 in the snapshot is always checked. (X10)"""
    cluster = ",".join(f"{seed.name}={url}" for url in seed.peer_urls)
    return tool.argv(
        "snapshot",
        "restore",
        snapshot_file(run),
        f"--data-dir={folder(data, run)}",
        f"--name={seed.name}",
        f"--initial-cluster={cluster}",
        f"--initial-cluster-token={token(run)}",
        f"--initial-advertise-peer-urls={','.join(seed.peer_urls)}",
        *((f"--bump-revision={BUMP}", "--mark-compacted") if tool.bumps else ()),
    )


def least_revision(snapshot: Pinned, tool: Tool) -> int:
    """The revision that the restored data has; a running cluster has this or more."""
    return snapshot.revision + (BUMP if tool.bumps else 0)


def member_id(peer_urls: Sequence[str], cluster_token: str) -> MemberId:
    """The id that etcd gives to a first member."""
    return hex_id(_number("".join(sorted(peer_urls)).encode() + cluster_token.encode()))


def cluster_id(seed: Seed, cluster_token: str) -> MemberId:
    """The id that etcd gives to a cluster of this one member: it depends on the token."""
    first = int(member_id(seed.peer_urls, cluster_token), 16)
    return hex_id(_number(first.to_bytes(8)))


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha1(data, usedforsecurity=False).digest()[:8])
