"""The world of one run: all that its worker reaches, and the record of expected members."""

from collections.abc import Mapping

from bot.carrying import Hand
from bot.store.expected import ExpectedMembers
from bot.store.refusals import Stale
from procedures.engine.hosts import HostAct, HostLook
from procedures.engine.ports import Backups, Clock, EtcdAct, EtcdLook, Reachable
from procedures.model.errors import Permanent
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName
from procedures.model.inventory import Inventory


class RunWorld:
    """Implements `procedures.engine.ports.World`."""

    def __init__(self, reach: Reachable, records: ExpectedMembers, hand: Hand) -> None:
        self._reach = reach
        self.inventory: Inventory = reach.inventory
        self.expected = Recorded(records, hand, self)

    @property
    def etcd(self) -> EtcdLook:
        """Reading from etcd."""
        return self._reach.etcd

    @property
    def hosts(self) -> HostLook:
        """Looking at machines."""
        return self._reach.hosts

    @property
    def clock(self) -> Clock:
        """The time, and waiting."""
        return self._reach.clock

    @property
    def act(self) -> EtcdAct:
        """Changing etcd."""
        return self._reach.act

    @property
    def on_hosts(self) -> HostAct:
        """Working on machines."""
        return self._reach.on_hosts

    @property
    def backups(self) -> Backups | None:
        """Where snapshots are kept."""
        return self._reach.backups

    def follow(self, cluster: ClusterName, expected: Expected) -> None:
        """Take over what is recorded of a cluster."""
        if cluster in self.inventory.clusters:
            self.inventory = self.inventory.expecting(cluster, expected)


class Recorded:
    """Implements `procedures.engine.membership.Membership` under the lease of one run."""

    def __init__(self, records: ExpectedMembers, hand: Hand, world: RunWorld) -> None:
        self._records = records
        self._hand = hand
        self._world = world

    async def read(self, cluster: ClusterName) -> Expected:
        """Read the record; the inventory follows."""
        found = await self._records.read(cluster)
        self._world.follow(cluster, found.expected)
        return found.expected

    async def write(
        self, cluster: ClusterName, was: Expected, to: Mapping[MemberName, str]
    ) -> None:
        """Replace the record that was read; the inventory follows."""
        found = await self._records.read(cluster)
        message = (
            f"The record of the expected members of {cluster} is another than the one that was "
            "read. Ask again, to have the plan made anew."
        )
        if found.expected != was:
            raise Permanent(message)
        try:
            await self._hand.swap(
                self._records.sealed(found, to, self._hand.run.id, self._world.clock.now_ms())
            )
        except Stale as error:
            raise Permanent(message) from error
        await self.read(cluster)
