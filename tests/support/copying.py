"""A place for backups, with points around what changes it at which a worker may crash."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from bot.targets.backups.copies import Copies
from bot.targets.backups.memory import MemoryBackups, MemoryDrills
from procedures.engine.drills import Say
from procedures.model.config_copy import ConfigCopy, Listed
from procedures.model.drill import Drill, Tried
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.snapshot import Origin, Proof, Retention, Snapshot
from tests.support.script import Script


@dataclass(frozen=True, slots=True)
class ActingCopies:
    """Implements `ConfigCopies`."""

    copies: Copies
    script: Script

    async def keep(self, copy: ConfigCopy) -> None:
        await self.script.call()
        self.script.point()
        await self.copies.keep(copy)
        self.script.point()

    async def listing(self, cluster: ClusterName) -> tuple[Listed, ...]:
        return await self.copies.listing(cluster)

    async def read(self, cluster: ClusterName, name: str) -> ConfigCopy:
        return await self.copies.read(cluster, name)


@dataclass(frozen=True, slots=True)
class ActingDrills:
    """Implements `Drills`."""

    drills: MemoryDrills
    script: Script

    async def fault(self, snapshot: Snapshot) -> str | None:
        return await self.drills.fault(snapshot)

    async def carry_out(self, snapshot: Snapshot, token: str, say: Say) -> Tried:
        await self.script.call()
        self.script.point()
        tried = await self.drills.carry_out(snapshot, token, say)
        self.script.point()
        return tried

    async def keep(self, drill: Drill) -> None:
        await self.script.call()
        self.script.point()
        await self.drills.keep(drill)
        self.script.point()

    async def last(self, cluster: ClusterName) -> Drill | None:
        return await self.drills.last(cluster)


@dataclass(frozen=True, slots=True)
class ActingBackups:
    """Implements `Backups`; snapshots that are saved have their points where they are streamed."""

    backups: MemoryBackups
    script: Script

    @property
    def copies(self) -> ActingCopies:
        return ActingCopies(self.backups.copies, self.script)

    @property
    def drills(self) -> ActingDrills:
        return ActingDrills(self.backups.drills, self.script)

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        return await self.backups.save(cluster, origin, chunks)

    async def save_archive(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes], proof: Proof
    ) -> Snapshot:
        await self.script.call()
        self.script.point()
        saved = await self.backups.save_archive(cluster, origin, chunks, proof)
        self.script.point()
        return saved

    async def archives(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        return await self.backups.archives(cluster)

    async def listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        return await self.backups.listing(cluster)

    async def verify(self, snapshot: Snapshot) -> str | None:
        return await self.backups.verify(snapshot)

    def read(self, snapshot: Snapshot) -> AsyncGenerator[bytes, None]:
        return self.backups.read(snapshot)

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:
        await self.script.call()
        self.script.point()
        gone = await self.backups.rotate(cluster, retention)
        self.script.point()
        return gone
