"""Making sure of a host's clock: that it is near the others', and that it is kept so. (P01; R18)"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.host.asking import each_host
from procedures.host.clock import said
from procedures.host.offset import ClockSeen, look_at_clock, offset, too_far
from procedures.model.errors import Permanent
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.probe import Fault

_WITHIN_MS, _POLL_MS = 300_000, 5_000


@dataclass(frozen=True, slots=True)
class CheckClock:
    """Compare a host's clock with those that are kept right, or else with Quorumbot's own.

    A time service that starts may set the clock at once, and leases and certificates of an etcd
    that runs go by it: so nothing is started where it is off by more than a second. With
    `synchronised` it waits until the clock is kept right. It changes nothing, so that a duplicate
    is harmless.
    """

    KIND: ClassVar[str] = "host.check-clock/1"

    cluster: ClusterName
    at: At
    synchronised: bool = False

    @property
    def command(self) -> str:
        """What is asked."""
        service = "timedatectl show; " if self.synchronised else ""
        return f"{self.at.host}: {service}date --utc +%s%N, there and on the others"

    @property
    def waits(self) -> str | None:
        """Until it is synchronised."""
        if not self.synchronised:
            return None
        return f"until the clock is synchronised, at most {_WITHIN_MS // 60_000} min"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Look, and wait if need be. Raises Permanent with the figure."""
        cluster = world.inventory.clusters[self.cluster]
        await reach(world, cluster, self.at)
        for _ in range(_WITHIN_MS // _POLL_MS):
            seen = await each_host(cluster, world, look_at_clock)
            here = seen[self.at.host]
            if isinstance(here, Fault):
                raise Permanent(here.message)
            if not self.synchronised or here.service.synchronised:
                self._must_be_near(seen)
                await work.say(said([offset(self.at.host, seen)]))
                return None
            await work.pause(_POLL_MS)
        message = (
            f"The clock of {self.at.host} is not synchronised after {_WITHIN_MS // 60_000} min. "
            "See whether its time service reaches a server: chronyc sources, ntpq -p or "
            "timedatectl timesync-status."
        )
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()

    def _must_be_near(self, seen: Mapping[str, ClockSeen | Fault]) -> None:
        if why := too_far(self.at.host, seen):
            raise Permanent(why)
