"""What procedures need in order to try a stored snapshot on this machine. (N10)"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from procedures.model.drill import Drill, Tried
from procedures.model.ids import ClusterName
from procedures.model.snapshot import Snapshot

Say = Callable[[str], Awaitable[None]]


class Drills(Protocol):
    """Trying snapshots beside everything else, and what came of it.

    Every call raises Retryable where the place is out of reach or full for the moment, and
    Permanent where it cannot be used as it is.
    """

    async def fault(self, snapshot: Snapshot) -> str | None:
        """Say why this machine cannot try it: etcd or its tool of that minor is missing."""
        ...

    async def carry_out(self, snapshot: Snapshot, token: str, say: Say) -> Tried:
        """Restore it into a folder of its own, start etcd there, ask it, and remove all of it.

        Nothing of it outlives this process, and what a killed one has left in its folder goes
        with the next drill on this machine. Raises Permanent where the snapshot cannot be
        restored or served.
        """
        ...

    async def keep(self, drill: Drill) -> None:
        """Remember what came of one. A duplicate is harmless: it has the same name."""
        ...

    async def last(self, cluster: ClusterName) -> Drill | None:
        """The newest one of a cluster; None where there was none."""
        ...
