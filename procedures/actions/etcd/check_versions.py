"""Making sure that all members are of one version. (catalogue P58; rule R19)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observe
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName


@dataclass(frozen=True, slots=True)
class CheckVersions:
    """Ask each member for its version. It changes nothing, so that a duplicate is harmless."""

    KIND: ClassVar[str] = "etcd.check-versions/1"

    cluster: ClusterName
    version: str

    @property
    def command(self) -> str:
        """What is asked."""
        return f"etcdctl endpoint status, on each member by itself: all are {self.version}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Ask. Raises Permanent where one is of another version, or does not say."""
        view = await observe(world.inventory.clusters[self.cluster], world)
        found = {seen.name: seen.status.version if seen.status else None for seen in view.seen}
        others = [
            f"{name}: {at or 'no answer'}" for name, at in found.items() if at != self.version
        ]
        if others or not found:
            message = f"Not all members are etcd {self.version} (R19): {', '.join(others)}."
            raise Permanent(message)
        await work.say(f"all {len(found)} members are etcd {self.version}")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()
