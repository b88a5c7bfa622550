"""Reading a stored snapshot again, before anything rests on it. (catalogue P34; rule R12)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.restoring import Pinned
from procedures.model.snapshot import Snapshot, is_archive


@dataclass(frozen=True, slots=True)
class VerifySnapshot:
    """Read a snapshot in the place for backups, all of it, and compare size and SHA-256.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "etcd.verify-snapshot/1"

    cluster: ClusterName
    snapshot: Pinned

    @property
    def command(self) -> str:
        """What is compared."""
        return (
            f"size {self.snapshot.size} and SHA-256 {self.snapshot.sha256} of {self.snapshot.name}"
        )

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Read it. Raises Permanent for one that is not what was approved."""
        found = await kept(world, self.cluster, self.snapshot)
        assert world.backups is not None  # noqa: S101 (it was found there)
        if fault := await world.backups.verify(found):
            message = f"{found.name} {fault}. Ask again, for another snapshot."
            raise Permanent(message)
        await work.say(f"{found.name} is whole: {found.size} bytes, SHA-256 {found.sha256}")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply read again."""
        return NotHappened()


async def kept(world: World, cluster: ClusterName, wanted: Pinned) -> Snapshot:
    """Find the snapshot that was approved. Raises Permanent where it is not there any more."""
    if world.backups is None:
        message = "No place for backups is configured. Set `backups` in the configuration."
        raise Permanent(message)
    archive = is_archive(wanted.name)
    listing = world.backups.archives if archive else world.backups.listing
    for each in await listing(cluster):
        if (each.name, each.sha256) == (wanted.name, wanted.sha256):
            return each
    message = f"{wanted.name} is not kept any more. Ask again, for another snapshot."
    raise Permanent(message)
