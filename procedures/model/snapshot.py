"""A backup of an etcd cluster's key space, and which ones are kept. Sizes in bytes, times in ms."""

from collections.abc import Iterable
from dataclasses import dataclass

from procedures.model.ids import ClusterName, MemberId
from procedures.model.probe import HashKv

_DAY_MS = 24 * 3600 * 1000

ARCHIVE = ".v2.tgz"
"""How the name of a backup ends that holds a member's v2 store too: an archive of its data."""


@dataclass(frozen=True, slots=True)
class Origin:
    """From which member a snapshot comes, and what was known of it just before.

    `version` is the server's, `revision` the cluster's at that moment: a snapshot that is older
    is refused. `quorum` is False for one that was taken from a cluster without quorum. `db_size`
    is that of the member's data file, by which the space for it is judged; 0 when not known.
    `hash_kv` is the member's hash of its keys at that revision, None where it was not asked.
    `v2` names what lies at the root of its v2 store, where that is kept too.
    """

    member: MemberId
    name: str
    version: str
    revision: int
    quorum: bool
    db_size: int = 0
    hash_kv: HashKv | None = None
    v2: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What the host on which an archive was made has read: of the archive, and of its v3 data."""

    sha256: str
    size: int
    hash: str
    revision: int
    total_keys: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A verified snapshot. `hash`, `revision` and `total_keys` are what the real tool read.

    `taken_at_ms` is when the stream began. `sha256` is that of the whole file, as `sha256sum`
    prints it, and `hash` as `snapshot status` does. `revision` is that of the newest write still
    there, so it may be lower than the cluster's where the last writes were deletions that have
    been compacted. `total_keys` counts every version of a key, and etcd's own entries too.
    Of an archive the three are those of the v3 data in it.
    """

    cluster: ClusterName
    name: str
    taken_at_ms: int
    size: int
    sha256: str
    hash: str
    revision: int
    total_keys: int
    origin: Origin

    @property
    def archive(self) -> bool:
        """Tell whether it is an archive with a v2 store."""
        return is_archive(self.name)

    @property
    def room(self) -> int:
        """What has room for it twice has room for it and for what is restored from it."""
        return self.size + (self.origin.db_size if self.archive else 0)


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: everything younger than `days`, and never less than `distinct_days` days."""

    days: int = 30
    distinct_days: int = 7


def is_archive(name: str) -> bool:
    """Tell from its name whether a backup is an archive with a v2 store."""
    return name.endswith(ARCHIVE)


def expendable(
    snapshots: Iterable[Snapshot], retention: Retention, now_ms: int
) -> tuple[Snapshot, ...]:
    """Name the snapshots that need not be kept, the oldest first.

    Of each of the newest `distinct_days` days (UTC) on which there is one, the last is kept
    however old it is, so that many backups on one day never push the other days out. One that
    was taken without quorum never takes the place of one with quorum: not on its day, and not
    among the days. Snapshots and archives stand for their days apart from each other. Deleting
    some of what is expendable makes nothing else expendable.
    """
    everything = tuple(snapshots)
    kept: set[str] = set()
    for archive in (False, True):
        alike = [each for each in everything if each.archive is archive]
        kept |= _of_newest_days(alike, retention.distinct_days)
        kept |= _of_newest_days(
            (each for each in alike if each.origin.quorum), retention.distinct_days
        )
    oldest_ms = now_ms - retention.days * _DAY_MS
    return tuple(
        snapshot
        for snapshot in sorted(everything, key=lambda each: (each.taken_at_ms, each.name))
        if snapshot.taken_at_ms < oldest_ms and snapshot.name not in kept
    )


def _of_newest_days(snapshots: Iterable[Snapshot], days: int) -> set[str]:
    """The names of the best snapshot of each of the newest days: with quorum, then the last."""
    best: dict[int, Snapshot] = {}
    for snapshot in sorted(
        snapshots, key=lambda each: (each.origin.quorum, each.taken_at_ms, each.name)
    ):
        best[snapshot.taken_at_ms // _DAY_MS] = snapshot
    return {best[day].name for day in sorted(best, reverse=True)[:days]}
