"""How old the newest backup of a cluster is. (rule R12)"""

import asyncio

from procedures.engine.ports import Kept, Look
from procedures.model.errors import QuorumbotError
from procedures.model.inventory import Cluster
from procedures.model.report import Figure, Level

FRESH_H = 24
"""A backup that is older is none for today."""

_HOUR_MS = 3_600_000
_WITHIN_S = 5


async def backup_age(cluster: Cluster, look: Look) -> Figure:
    """Judge the newest one; it never changes a verdict."""
    kept = place(cluster, look)
    if kept is None:
        return _figure(Level.UNKNOWN, "no place for backups is configured")
    try:
        async with asyncio.timeout(_WITHIN_S):
            hours = await newest_h(cluster, kept, look)
    except TimeoutError:
        return _figure(Level.UNKNOWN, f"their place did not answer within {_WITHIN_S} s")
    except QuorumbotError as error:
        return _figure(Level.UNKNOWN, str(error))
    if hours is None:
        return _figure(Level.UNKNOWN, "there is none that was taken with quorum")
    if hours >= FRESH_H:
        return _figure(Level.WARN, f"the newest is {hours} h old: see why (R12)")
    return _figure(Level.OK, f"the newest is {hours} h old")


def place(cluster: Cluster, look: Look) -> Kept | None:
    """Where its snapshots are kept; None where no place is configured."""
    return look.backups if cluster.site in look.inventory.retention else None


async def newest_h(cluster: Cluster, kept: Kept, look: Look) -> int | None:
    """Tell the age in hours of the newest one with quorum; None where there is none.

    Raises what the place for backups raises.
    """
    stored = await kept.listing(cluster.name)
    taken = [each.taken_at_ms for each in stored if each.origin.quorum]
    return (look.clock.now_ms() - max(taken)) // _HOUR_MS if taken else None


def _figure(level: Level, text: str) -> Figure:
    return Figure("backup", level, text, counts=False)
