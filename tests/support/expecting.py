"""The record of expected members in memory, with points around each writing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from procedures.model.errors import Permanent
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName, RunId
from procedures.model.inventory import Inventory
from tests.support.script import Script

RUN = RunId("r-00000001")


@dataclass(slots=True)
class FakeRecords:
    """All records, by cluster; what all workers share."""

    stored: dict[ClusterName, Expected] = field(default_factory=dict)


class Follows(Protocol):
    """A world whose inventory follows the record."""

    inventory: Inventory


@dataclass(slots=True)
class FakeMembership:
    """Implements `procedures.engine.membership.Membership`.

    `hold` raises when another worker has the run, as the store would.
    """

    records: FakeRecords
    world: Follows
    run: RunId = RUN
    hold: Callable[[], None] = field(default=lambda: None)
    script: Script | None = None
    effects: list[str] = field(default_factory=list)

    async def read(self, cluster: ClusterName) -> Expected:
        return self.follow(cluster)

    def follow(self, cluster: ClusterName) -> Expected:
        found = self.records.stored.get(cluster, Expected())
        self.world.inventory = self.world.inventory.expecting(cluster, found)
        return found

    async def write(
        self, cluster: ClusterName, was: Expected, to: Mapping[MemberName, str]
    ) -> None:
        if self.script:
            await self.script.call()
            self.script.point()
        self.hold()
        if self.follow(cluster) != was:
            message = f"The record of {cluster} is another. Ask again."
            raise Permanent(message)
        self.records.stored[cluster] = Expected(dict(to), was.version + 1, self.run)
        self.effects.append(f"expect {', '.join(to)}")
        if self.script:
            self.script.point()
        self.follow(cluster)
