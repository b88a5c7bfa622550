"""Making sure that what runs is the restored cluster, and nothing else. (P34; R14; X11)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observe
from procedures.etcd.view import View
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberId
from procedures.model.probe import Status
from procedures.model.restoring import RUN, Seed, cluster_id, token

WAIT_S = 60
_POLL_MS = 1_000


@dataclass(frozen=True, slots=True)
class CheckRestored:
    """Wait until the one member serves; then compare list, cluster id and revision.

    The cluster id follows from the token, so it tells that no old data runs. It changes nothing,
    so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "etcd.check-restored/1"

    cluster: ClusterName
    seed: Seed
    least_revision: int

    @property
    def command(self) -> str:
        """What is asked, and what has to be the answer."""
        return (
            "etcdctl endpoint health, endpoint status, member list: one member, "
            f"{self.seed.name} at {', '.join(self.seed.peer_urls)}; the cluster id that "
            f"{token(RUN)} gives; revision {self.least_revision} or more"
        )

    @property
    def waits(self) -> str | None:
        """Until it serves."""
        return f"until it serves a linearizable read, at most {WAIT_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait and compare; raises Permanent with what is wrong."""
        cluster = world.inventory.clusters[self.cluster]
        wanted = cluster_id(self.seed, token(work.mark("token").run))
        said = ""
        for _ in range(WAIT_S * 1_000 // _POLL_MS):
            view = await observe(cluster, world)
            if (old := _of_another(view, wanted)) is not None:
                message = (
                    f"{old.member_id} answers, and is of the cluster {old.cluster_id}, not of the "
                    f"restored one, {wanted}. Stop that etcd: it must not run any more."
                )
                raise Permanent(message)
            if view.quorum_proven and view.listed and view.statuses():
                await work.say(self._right(view))
                return {"cluster": wanted}
            now = "; ".join(seen.why for seen in view.seen if seen.why) or "nobody answers"
            if now != said:
                await work.say(f"waiting: {now}")
                said = now
            await work.pause(_POLL_MS)
        message = f"{self.seed.name} does not serve after {WAIT_S} s: {said}"
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()

    def _right(self, view: View) -> str:
        """Say what is there. Raises Permanent where it is not what was restored."""
        rows = [
            (seen.listed.name, tuple(sorted(seen.listed.peer_urls)))
            for seen in view.seen
            if seen.listed
        ]
        if rows != [(self.seed.name, self.seed.peer_urls)]:
            message = f"The member list has {rows}, and not {self.seed.name} alone."
            raise Permanent(message)
        [(_, status)] = view.statuses()
        if status.revision < self.least_revision:
            message = (
                f"{self.seed.name} is at revision {status.revision}, and the snapshot restored "
                f"gives {self.least_revision} or more."
            )
            raise Permanent(message)
        return (
            f"{self.seed.name} is the one member of cluster {status.cluster_id}, at revision "
            f"{status.revision}"
        )


def _of_another(view: View, wanted: MemberId) -> Status | None:
    """What a member of another cluster says, if one answers."""
    probes = [seen.probe for seen in view.seen if seen.probe] + list(view.strangers)
    told = [probe.status for probe in probes if isinstance(probe.status, Status)]
    return next((status for status in told if status.cluster_id != wanted), None)
