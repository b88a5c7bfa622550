"""Changing where a member's peers reach it. (catalogue P33)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import contact
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.observe import observe, observed
from procedures.etcd.view import View
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.probe import ListedMember

_BETWEEN_READS_MS = 1_000


@dataclass(frozen=True, slots=True)
class UpdatePeerUrl:
    """Set a member's one peer URL.

    A late duplicate is harmless: it sets the same URL again.
    """

    KIND: ClassVar[str] = "etcd.update-peer-url/1"

    cluster: ClusterName
    member: Identity
    url: str

    @property
    def command(self) -> str:
        """The exact API call, as etcdctl would make it."""
        return f"etcdctl member update {self.member.id} --peer-urls={self.url}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Set it, if the member is still as it was approved."""
        view = await observed(self.cluster, world)
        row = _row(view, self.member)
        if row is None or row.learner or row.name != self.member.name:
            message = f"{self.member.shown} is not the voter any more that was approved (R7)."
            raise Permanent(message)
        if row.peer_urls == (self.url,):
            await work.say(f"the peer URL is {self.url} already")
            return None
        if tuple(sorted(row.peer_urls)) != self.member.peer_urls:
            message = (
                f"{self.member.shown} has the peer URL {', '.join(row.peer_urls)} now, another "
                "than when it was approved (R7). Ask again, to have the plan made anew."
            )
            raise Permanent(message)
        cluster = world.inventory.clusters[self.cluster]
        endpoint = contact(view)
        await work.guard()
        await world.act.update_peer_urls(cluster, endpoint, self.member.id, (self.url,))
        await work.say(f"the peer URL is {self.url} now")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Ask for the member list between two linearizable reads."""
        for _ in range(2):
            view = await observe(world.inventory.clusters[self.cluster], world)
            if not (view.quorum_proven and view.listed):
                return Unclear(
                    f"No member of {self.cluster} has quorum behind it, so the change of a peer "
                    "URL that was sent may still be carried out."
                )
            row = _row(view, self.member)
            if row is not None and row.peer_urls == (self.url,):
                return Happened()
            await work.rest(_BETWEEN_READS_MS)
        return NotHappened()


def _row(view: View, member: Identity) -> ListedMember | None:
    rows = (seen.listed for seen in view.seen if seen.listed)
    return next((row for row in rows if row.id == member.id), None)
