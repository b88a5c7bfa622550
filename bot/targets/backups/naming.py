"""Names of snapshots, and the record that lies beside each."""

import re
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.snapshot import ARCHIVE, Snapshot, is_archive

DATA, RECORD = ".db", ".json"
_ARCHIVE_RECORD = ".v2.json"
RECORD_LIMIT = 64 * 1024
"""No record is larger, in bytes."""

_CLUSTER = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_REST = re.compile(r"-\d{8}T\d{6}Z-\d+-[0-9a-f]{12}")
_RECORDS = TypeAdapter(Snapshot)


def checked_cluster(name: ClusterName) -> str:
    """Give a name that is safe as one part of a path. Raises Permanent for any other."""
    if not _CLUSTER.fullmatch(name):
        message = f"{name!r} is no name of a cluster, so it has no backups."
        raise Permanent(message)
    return name


def snapshot_name(
    cluster: ClusterName, taken_at_ms: int, revision: int, sha256: str, end: str = DATA
) -> str:
    """Name a snapshot: `CLUSTER-UTC_TIME-REVISION-SHORT_SHA256.db`; an archive ends otherwise."""
    taken = datetime.fromtimestamp(taken_at_ms / 1000, UTC)
    return f"{cluster}-{taken:%Y%m%dT%H%M%SZ}-{revision}-{sha256[:12]}{end}"


def is_name(cluster: ClusterName, name: str) -> bool:
    """Tell whether a file or an object is called like a snapshot or an archive of the cluster."""
    end = _end(name)
    stem = name.removesuffix(end)
    return (
        name.endswith(end)
        and stem.startswith(cluster)
        and _REST.fullmatch(stem, len(cluster)) is not None
    )


def checked_name(snapshot: Snapshot) -> str:
    """Give a snapshot's name where it is one. Raises Permanent for any other."""
    checked_cluster(snapshot.cluster)
    if not is_name(snapshot.cluster, snapshot.name):
        message = f"{snapshot.name!r} is no name of a snapshot of {snapshot.cluster}."
        raise Permanent(message)
    return snapshot.name


def record_name(name: str) -> str:
    """Name the record of a snapshot."""
    return name.removesuffix(_end(name)) + (_ARCHIVE_RECORD if is_archive(name) else RECORD)


def data_name(record: str) -> str:
    """Name the snapshot of a record."""
    if record.endswith(_ARCHIVE_RECORD):
        return record.removesuffix(_ARCHIVE_RECORD) + ARCHIVE
    return record.removesuffix(RECORD) + DATA


def _end(name: str) -> str:
    return ARCHIVE if is_archive(name) else DATA


def to_record(snapshot: Snapshot) -> bytes:
    """Write what is known of a snapshot as JSON."""
    return _RECORDS.dump_json(snapshot, indent=2) + b"\n"


def from_record(cluster: ClusterName, name: str, record: bytes) -> Snapshot | None:
    """Read a record; None for one that cannot be read, or is that of another snapshot."""
    try:
        snapshot = _RECORDS.validate_json(record)
    except ValidationError:
        return None
    return snapshot if (snapshot.cluster, snapshot.name) == (cluster, name) else None
