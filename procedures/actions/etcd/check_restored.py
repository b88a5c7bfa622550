"""Making sure that what runs is the restored cluster, and nothing else. (P34; R14; X11)"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.beginning import WAITS, served, told
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.view import View
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName, MemberId
from procedures.model.restoring import RUN, Seed, cluster_id, token


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
        return WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait and compare; raises Permanent with what is wrong."""
        wanted = cluster_id(self.seed, token(work.mark("token").run))
        astray = partial(_of_another, wanted)
        view = await served(world, work, self.cluster, self.seed.name, astray)
        await work.say(self._right(view))
        return {"cluster": wanted}

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


def _of_another(wanted: MemberId, view: View) -> str | None:
    """Say which member of another cluster answers, if one does."""
    for status in told(view):
        if status.cluster_id != wanted:
            return (
                f"{status.member_id} answers, and is of the cluster {status.cluster_id}, not of "
                f"the restored one, {wanted}. Stop that etcd: it must not run any more."
            )
    return None
