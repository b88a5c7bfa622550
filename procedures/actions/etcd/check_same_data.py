"""Making sure that all members hold the same data. (rules R14, R16)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.observe import observe
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.probe import HashKv

_TRIES, _POLL_MS = 12, 5_000


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
        return f"until all can be compared, at most {_TRIES * _POLL_MS // 1_000} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Compare. Raises Permanent where data differs, or nobody can tell."""
        cluster = world.inventory.clusters[self.cluster]
        why = ""
        for _ in range(_TRIES):
            view = await observe(cluster, world)
            asked = {
                seen.probe.endpoint: seen for seen in view.voters if seen.probe and seen.status
            }
            told = view.statuses()
            if any(status.db_size > cluster.hash_up_to_bytes for _, status in told):
                await work.say("not compared: the data is larger than `hash_up_to_bytes`")
                return None
            revision = min((status.revision for _, status in told), default=0)
            answers = await world.etcd.hashes(cluster, list(asked), revision)
            known = [each for each in answers.values() if isinstance(each, HashKv)]
            if (
                len(known) == len(view.voters)
                and len({each.compact_revision for each in known}) == 1
            ):
                hashes = {f"{each.hash:08x}" for each in known}
                if len(hashes) > 1:
                    message = (
                        f"Data differs at revision {known[0].revision} (R16): "
                        f"{', '.join(sorted(hashes))}. Look at /etcd health."
                    )
                    raise Permanent(message)
                await work.say(
                    f"{len(known)} members have the hash {hashes.pop()} at revision "
                    f"{known[0].revision}"
                )
                return None
            why = f"{len(known)} of {len(view.voters)} members gave a hash that can be compared"
            await work.pause(_POLL_MS)
        message = f"The data of {self.cluster} could not be compared: {why}."
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply compared again."""
        return NotHappened()
