"""Which backups of a cluster are kept, and whether they are still whole. (catalogue P22)"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from procedures.engine.ports import World
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.inquiry import Inquiry
from procedures.model.report import BackupRow, BackupsReport

READ_AGAIN = 15
"""So many of the newest are read again; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster."""

    cluster: ClusterName


async def ask(args: Args, world: World) -> AsyncIterator[BackupsReport]:
    """Read the newest ones again. Raises Refused where no place for backups is configured."""
    if world.backups is None:
        message = "No place for backups is configured. Set `backups` in the configuration."
        raise Refused(message)
    both = [*await world.backups.listing(args.cluster), *await world.backups.archives(args.cluster)]
    stored = sorted(both, key=lambda each: each.taken_at_ms, reverse=True)
    rows = [
        BackupRow(
            name=each.name,
            taken_at_ms=each.taken_at_ms,
            size=each.size,
            revision=each.revision,
            total_keys=each.total_keys,
            quorum=each.origin.quorum,
            fault=await world.backups.verify(each),
        )
        for each in stored[:READ_AGAIN]
    ]
    broken = sum(row.fault is not None for row in rows)
    found = f"{len(stored)} backups" if len(stored) != 1 else "1 backup"
    state = f"{broken} of {len(rows)} broken" if broken else f"{len(rows)} verified again"
    yield BackupsReport(
        cluster=args.cluster,
        headline=f"{args.cluster}: {found}, {state}" if stored else f"{args.cluster}: no backups",
        rows=tuple(rows),
        unread=len(stored) - len(rows),
        drill=await world.backups.drills.last(args.cluster),
    )


INQUIRY = Inquiry("etcd backups", Args, ask)
