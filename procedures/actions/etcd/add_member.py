"""Adding a member. (catalogue N4, P54; rules R3, R5, R6, R21)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.steady import WAITS, all_ids, ids_after, steady
from procedures.actions.etcd.target import contact
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.observe import observe, observed
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import InDoubt, Permanent
from procedures.model.ids import ClusterName
from procedures.model.probe import ListedMember

_BETWEEN_READS_MS = 1_000


@dataclass(frozen=True, slots=True)
class AddMember:
    """Make room in the cluster for one member, a learner or a voter, that has not started yet.

    Gives its id. A late duplicate is harmless: etcd lets no second member have the peer URL.
    """

    KIND: ClassVar[str] = "etcd.add-member/1"

    cluster: ClusterName
    name: str
    url: str
    learner: bool = True

    @property
    def command(self) -> str:
        """The exact API call, as etcdctl would make it."""
        role = " --learner" if self.learner else ""
        return f"etcdctl member add {self.name} --peer-urls={self.url}{role}"

    @property
    def waits(self) -> str | None:
        """As etcd wants all to have been connected for a while."""
        return WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Add it, and say with what to start it."""
        view = await observed(self.cluster, world)
        row = self._row(view)
        if row is not None:
            if row.started or row.learner is not self.learner:
                message = f"{row.name or row.id} has the peer URL {self.url} by now (R21)."
                raise Permanent(message)
            await work.say(f"{row.id} has been added at {self.url} already")
            return row.id
        view = await steady(
            self.cluster,
            lambda seen: quorum.may_add(seen.members, learner=self.learner),
            world,
            work,
        )
        endpoint = contact(view)
        await work.say(f"all members are healthy; asking {endpoint}")
        await work.guard()
        cluster = world.inventory.clusters[self.cluster]
        member = await world.act.add_member(cluster, endpoint, (self.url,), learner=self.learner)
        wanted = all_ids(view) | {member}
        after, found = await ids_after(self.cluster, all_ids, wanted, world, work)
        if found != wanted:
            message = (
                f"etcd confirmed the addition of {member}, and its list has "
                f"{', '.join(sorted(found))} now. Look at the member list."
            )
            raise InDoubt(message)
        await work.say(f"added as {member}; start etcd on its host, with an empty data folder, by:")
        for line in self._environment(after):
            await work.say(line)
        return member

    async def probe(self, world: World, work: Work) -> Finding:
        """Ask for the member list between two linearizable reads."""
        for _ in range(2):
            view = await observe(world.inventory.clusters[self.cluster], world)
            if not (view.quorum_proven and view.listed):
                return Unclear(
                    f"No member of {self.cluster} has quorum behind it, so an addition that was "
                    "sent may still be carried out."
                )
            if row := self._row(view):
                return Happened(row.id)
            await work.rest(_BETWEEN_READS_MS)
        return NotHappened()

    def _row(self, view: View) -> ListedMember | None:
        rows = (seen.listed for seen in view.seen if seen.listed)
        return next((row for row in rows if self.url in row.peer_urls), None)

    def _environment(self, view: View) -> tuple[str, ...]:
        """What the new member must be told; anything else founds a cluster of its own (R21)."""
        rows = [seen.listed for seen in view.seen if seen.listed]
        peers = [f"{row.name}={url}" for row in rows if row.started for url in row.peer_urls]
        return (
            f"ETCD_NAME={self.name}",
            f"ETCD_INITIAL_CLUSTER={','.join((*peers, f'{self.name}={self.url}'))}",
            "ETCD_INITIAL_CLUSTER_STATE=existing",
            f"ETCD_INITIAL_ADVERTISE_PEER_URLS={self.url}",
        )
