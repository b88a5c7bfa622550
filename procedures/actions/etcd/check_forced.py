"""Making sure that what runs is a cluster of one, founded anew from both stores. (P32; R14; X13)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.beginning import WAITS, served, told
from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.asking import Asking
from procedures.etcd.v2_store import store_of
from procedures.etcd.view import View
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At, Machine
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Cluster, Platform
from procedures.model.platform import layout
from procedures.model.restoring import Seed


@dataclass(frozen=True, slots=True)
class CheckForced:
    """Wait until the one member serves; then compare list, revision and the v2 store.

    It gives the member's id, which nobody knows before. It changes nothing, so that a duplicate is
    harmless.
    """

    KIND: ClassVar[str] = "etcd.check-forced/1"

    cluster: ClusterName
    platform: Platform
    at: At
    seed: Seed
    least_revision: int
    names: tuple[str, ...]

    @property
    def command(self) -> str:
        """What is asked, and what has to be the answer."""
        return (
            "etcdctl endpoint health, endpoint status, member list: one member, "
            f"{self.seed.name}; one cluster id; revision {self.least_revision} or more; by the v2 "
            f"API on {self.at.host}, ls /: {', '.join(self.names)}"
        )

    @property
    def waits(self) -> str | None:
        """Until it serves."""
        return WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait and compare; raises Permanent with what is wrong."""
        cluster = world.inventory.clusters[self.cluster]
        view = await served(world, work, self.cluster, self.seed.name, _astray)
        member = self._member(view)
        await self._has_v2(world, cluster)
        await work.say(f"{self.seed.name} is the one member, {member}; both stores are there")
        return member

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()

    def _member(self, view: View) -> MemberId:
        """Find the one member's id. Raises Permanent where it is not what was restored."""
        rows = [seen.listed for seen in view.seen if seen.listed]
        if [row.name for row in rows] != [self.seed.name]:
            names = ", ".join(row.name or row.id for row in rows)
            message = f"The member list has {names}, and not {self.seed.name} alone."
            raise Permanent(message)
        [(_, status)] = view.statuses()
        if status.revision < self.least_revision:
            message = (
                f"{self.seed.name} is at revision {status.revision}, and what was restored has "
                f"{self.least_revision}."
            )
            raise Permanent(message)
        return rows[0].id

    async def _has_v2(self, world: World, cluster: Cluster) -> None:
        """See that the v2 store has what it had. Raises Permanent or Retryable."""
        host = await reach(world, cluster, self.at)
        machine = await world.hosts.machine(cluster, host)
        if not isinstance(machine, Machine):
            raise Retryable(machine.message)
        url = cluster.endpoints[MemberName(self.seed.name)]
        try:
            how = layout(self.platform)
            store = await store_of(Asking(world, cluster, host), how, machine, url)
        except Refused as error:
            raise Retryable(str(error)) from error
        if missing := [name for name in self.names if name not in store.names]:
            message = (
                f"The v2 store on {host.name} lacks {', '.join(missing)}. {store.why_not or ''}"
            )
            raise Permanent(message.strip())


def _astray(view: View) -> str | None:
    """Say which clusters answer, if it is more than one."""
    ids = sorted({status.cluster_id for status in told(view)})
    if len(ids) < 2:
        return None
    return (
        f"Members of {len(ids)} clusters answer: {', '.join(ids)}. Stop those of the old one: they "
        "must not run any more."
    )
