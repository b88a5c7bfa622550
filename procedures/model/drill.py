"""Trying a stored snapshot: what is run for it, what is compared, what is remembered. (N10)

The server listens on sockets in a folder that nobody else can enter, and on no port: what is in a
snapshot, such as the secrets of a Kubernetes cluster, is shown to nobody by trying it.
"""

from dataclasses import dataclass

from procedures.model.ids import ClusterName, RunId
from procedures.model.probe import HashKv
from procedures.model.snapshot import Snapshot

CLIENT, PEER = "unix://client:0", "unix://peer:0"
"""Sockets in the folder that etcd is started in; before 3.5 it takes no other spelling."""

CLIENT_SOCKET = "client:0"
SNAPSHOT, DATA = "snapshot.db", "data"


@dataclass(frozen=True, slots=True)
class Tried:
    """What the tool read of the file, and what etcd then said of what was restored from it.

    `hash`, `revision` and `total_keys` are those of `snapshot status`, `reached` is the newest
    revision that the file has on record, a compaction's included. `served` is the revision that
    etcd came up with, `keys` how many it has.
    """

    hash: str
    revision: int
    total_keys: int
    reached: int
    served: int
    keys: int
    hash_kv: HashKv | None
    version: str


@dataclass(frozen=True, slots=True)
class Drill:
    """The record of one drill. `fault` says what is wrong with the snapshot, None if nothing."""

    cluster: ClusterName
    snapshot: str
    sha256: str
    at_ms: int
    took_ms: int
    revision: int
    keys: int
    hash_compared: bool
    fault: str | None


def token(run: RunId) -> str:
    """Its own, so that it is no member of anything that exists. (X11)"""
    return f"quorumbot-drill-{run}"


def restore_argv(program: str, cluster_token: str) -> tuple[str, ...]:
    """Restore in the folder. The SHA-256 in the snapshot is always checked. (X10)"""
    return (
        program,
        *("snapshot", "restore", SNAPSHOT, f"--data-dir={DATA}", "--name=drill"),
        f"--initial-cluster=drill={PEER}",
        f"--initial-cluster-token={cluster_token}",
        f"--initial-advertise-peer-urls={PEER}",
    )


def serve_argv(program: str) -> tuple[str, ...]:
    """Start a member on what was restored."""
    return (
        program,
        *("--name=drill", f"--data-dir={DATA}"),
        f"--listen-client-urls={CLIENT}",
        f"--advertise-client-urls={CLIENT}",
        f"--listen-peer-urls={PEER}",
    )


def comparable(snapshot: Snapshot, tried: Tried) -> bool:
    """Tell whether the hash says something: a compaction in between changes what it is over."""
    before, after = snapshot.origin.hash_kv, tried.hash_kv
    return (
        before is not None
        and after is not None
        and before.compact_revision == after.compact_revision
    )


def differences(snapshot: Snapshot, tried: Tried) -> tuple[str, ...]:
    """Say what is not as the snapshot's record has it."""
    found = []
    for what, recorded, seen in (
        ("hash", snapshot.hash, tried.hash),
        ("revision", snapshot.revision, tried.revision),
        ("number of keys", snapshot.total_keys, tried.total_keys),
    ):
        if recorded != seen:
            found.append(f"the tool reads the {what} {seen}, and the record says {recorded}")
    # More is no fault: leases run out while it runs, and etcd deletes what hangs on them.
    if tried.served < tried.reached:
        found.append(f"etcd came up with revision {tried.served}, and not {tried.reached}")
    before, after = snapshot.origin.hash_kv, tried.hash_kv
    if comparable(snapshot, tried) and before and after and before.hash != after.hash:
        found.append(
            f"the HashKV at revision {before.revision} is {after.hash:08x}, and "
            f"{snapshot.origin.name} had {before.hash:08x}"
        )
    return tuple(found)
