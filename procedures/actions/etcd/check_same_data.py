"""Making sure that all members hold the same data. (rules R14, R16)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observe
from procedures.etcd.same_data import Compared, compared, too_large
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName

_TRIES, _POLL_MS = 12, 5_000

WAITS = f"until all can be compared, at most {_TRIES * _POLL_MS // 1_000} s"


@dataclass(frozen=True, slots=True)
class CheckSameData:
    """Compare HashKV of all members, at one revision and one compaction.

    It changes nothing, so that a duplicate is harmless. Data above the size that the configuration
    sets is not compared, because it takes too long.
    """

    KIND: ClassVar[str] = "etcd.check-same-data/1"

    cluster: ClusterName

    @property
    def command(self) -> str:
        """What is asked."""
        return "etcdctl endpoint hashkv, on each member, at one revision"

    @property
    def waits(self) -> str | None:
        """Until all can be compared."""
        return WAITS

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Compare. Raises Permanent where data differs, or nobody can tell."""
        cluster = world.inventory.clusters[self.cluster]
        if too_large(cluster, await observe(cluster, world)):
            await work.say("not compared: the data is larger than `hash_up_to_bytes`")
            return None
        await require_equal(self.cluster, world, work)
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply compared again."""
        return NotHappened()


async def require_equal(name: ClusterName, world: World, work: Work) -> None:
    """Wait until all can be compared. Raises Permanent where data differs, or nobody can tell."""
    cluster = world.inventory.clusters[name]
    why = ""
    for _ in range(_TRIES):
        view = await observe(cluster, world)
        found = await compared(cluster, view, world)
        if found is not None and found.whole and found.known:
            _must_be_equal(found)
            one = next(iter(found.known.values()))
            await work.say(
                f"{len(found.known)} members have the hash {one:08x} at revision {found.revision}"
            )
            return
        given = len(found.known) if found else 0
        why = f"{given} of {len(view.voters)} members gave a hash that can be compared"
        await work.pause(_POLL_MS)
    message = f"The data of {name} could not be compared: {why}."
    raise Permanent(message)


def _must_be_equal(found: Compared) -> None:
    if not found.equal:
        message = (
            f"Data differs at revision {found.revision} (R16): {found.said}. Look at /etcd health."
        )
        raise Permanent(message)
