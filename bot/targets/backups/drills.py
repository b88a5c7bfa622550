"""Drills: snapshots that were tried, each one small document beside the snapshots. (N10)"""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from bot.targets.backups.copies import Shelf
from bot.targets.backups.lane import in_thread
from bot.targets.backups.naming import checked_cluster
from bot.targets.backups.trial import Trial
from procedures.engine.drills import Say
from procedures.model.drill import Drill, Tried
from procedures.model.ids import ClusterName
from procedures.model.snapshot import Snapshot

_END = ".drill.json"
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}\.drill\.json")
_DRILLS = TypeAdapter(Drill)


@dataclass(frozen=True, slots=True)
class Records:
    """What came of drills, over a shelf."""

    shelf: Shelf

    async def keep(self, drill: Drill) -> None:
        """Remember one."""
        cluster = checked_cluster(drill.cluster)
        taken = datetime.fromtimestamp(drill.at_ms / 1000, UTC)
        name = f"{taken:%Y%m%dT%H%M%SZ}-{drill.sha256[:12]}{_END}"
        document = _DRILLS.dump_json(drill, indent=1) + b"\n"
        await in_thread(lambda _: self.shelf.put(cluster, name, document))

    async def last(self, cluster: ClusterName) -> Drill | None:
        """The newest of a cluster that can be read."""
        folder = checked_cluster(cluster)

        def read() -> Drill | None:
            names = [each for each in self.shelf.names(folder) if _NAME.fullmatch(each)]
            for name in sorted(names, reverse=True):
                try:
                    found = _DRILLS.validate_json(self.shelf.get(folder, name) or b"")
                except ValidationError:
                    continue  # damaged: an older one says more
                if found.cluster == cluster:
                    return found
            return None

        return await in_thread(lambda _: read())


@dataclass(frozen=True, slots=True)
class TriedHere(Records):
    """Implements `procedures.engine.drills.Drills` on this machine."""

    trial: Trial
    read: Callable[[Snapshot], AsyncGenerator[bytes, None]]

    async def fault(self, snapshot: Snapshot) -> str | None:
        """Say why it cannot be tried here."""
        return await self.trial.fault(snapshot)

    async def carry_out(self, snapshot: Snapshot, token: str, say: Say) -> Tried:
        """Try it."""
        async with aclosing(self.read(snapshot)) as chunks:
            return await self.trial.carry_out(snapshot, chunks, token, say)
