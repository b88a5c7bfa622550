"""Choosing the snapshot to restore from. (catalogue P34; rule R12)"""

from dataclasses import dataclass
from datetime import UTC, datetime

from procedures.engine.ports import Look
from procedures.model.errors import Permanent, Refused, Retryable, UsageError
from procedures.model.ids import ClusterName
from procedures.model.restoring import Pinned
from procedures.model.snapshot import ARCHIVE, Snapshot


@dataclass(frozen=True, slots=True)
class Choice:
    """The snapshot that was chosen, and what is wrong with newer ones that were passed over.

    `alone` is the newest one that was taken without quorum, where that is newer: it has to be
    named.
    """

    snapshot: Snapshot
    passed_over: tuple[str, ...] = ()
    alone: Snapshot | None = None


async def choose(
    cluster: ClusterName, name: str | None, look: Look, *, archives: bool = False
) -> Choice:
    """Take the one that is named, else the newest that was taken with quorum; and read it again.

    Raises UsageError where there is none of that name, Refused where none can be used.
    """
    if look.backups is None:
        message = "No place for backups is configured. Set `backups` in the configuration."
        raise Refused(message)
    what = "backup of the v2 store" if archives else "snapshot"
    try:
        listing = look.backups.archives if archives else look.backups.listing
        stored = await listing(cluster)
        if name is not None:
            chosen = _named(stored, name, what)
            if fault := await look.backups.verify(chosen):
                message = f"{chosen.name} {fault}. Choose another snapshot."
                raise Refused(message)
            return Choice(chosen)
        passed_over: list[str] = []
        alone: Snapshot | None = None
        for each in stored:
            if not each.origin.quorum:
                alone = alone or each
                continue
            fault = await look.backups.verify(each)
            if fault is None:
                return Choice(each, tuple(passed_over), alone)
            passed_over.append(f"{each.name} {fault}")
    except (Retryable, Permanent) as error:
        raise Refused(str(error)) from error
    message = f"There is no whole {what} of {cluster} that was taken with quorum. " + (
        "Name one that was taken without." if stored else "There is none at all."
    )
    if archives:
        message += " /etcd restore restores snapshots, of the v3 store."
    elif not stored:
        message += " /etcd backup takes one wherever a member answers, without quorum too."
    raise Refused(message)


def pinned(snapshot: Snapshot) -> Pinned:
    """Take from a snapshot what a plan pins."""
    return Pinned(
        snapshot.name,
        snapshot.sha256,
        snapshot.size,
        snapshot.hash,
        snapshot.revision,
        snapshot.total_keys,
    )


def moment(snapshot: Snapshot) -> str:
    """When it was taken: a date, since an age would change from one look to the next."""
    return f"{datetime.fromtimestamp(snapshot.taken_at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _named(stored: tuple[Snapshot, ...], name: str, what: str) -> Snapshot:
    for each in stored:
        if name in {each.name, each.name.removesuffix(ARCHIVE if each.archive else ".db")}:
            return each
    newest = ", ".join(each.name for each in stored[:3])
    message = f"There is no {what} {name!r}. " + (
        f"The newest are {newest}." if newest else "There is none at all."
    )
    raise UsageError(message)
