"""Dropping old backups. (catalogue P22)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.snapshot import Retention


@dataclass(frozen=True, slots=True)
class RotateBackups:
    """Delete backups of a cluster that are older than is kept, never the last of a recent day.

    A duplicate is harmless: what is gone is gone, and nothing younger goes.
    """

    KIND: ClassVar[str] = "etcd.rotate-backups/1"

    cluster: ClusterName
    days: int
    distinct_days: int

    @property
    def command(self) -> str:
        """What is deleted."""
        return (
            f"delete backups older than {self.days} days, "
            f"keeping the last of each of the newest {self.distinct_days} days"
        )

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Delete them."""
        if world.backups is None:
            message = "No place for backups is configured. Set `backups` in the configuration."
            raise Permanent(message)
        await work.guard()
        gone = await world.backups.rotate(
            world.inventory.clusters[self.cluster], Retention(self.days, self.distinct_days)
        )
        for snapshot in gone:
            await work.say(f"deleted {snapshot.name}")
        return {"deleted": [snapshot.name for snapshot in gone]}

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply done again."""
        return NotHappened()
