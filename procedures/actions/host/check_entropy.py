"""Making sure that a host has enough entropy. (P02)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.host.asking import each_host
from procedures.host.entropy import LOW, read_entropy
from procedures.model.errors import Permanent
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.probe import Fault

_WITHIN_MS, _POLL_MS = 60_000, 2_000


@dataclass(frozen=True, slots=True)
class CheckEntropy:
    """Wait until the kernel has enough. It changes nothing, so that a duplicate is harmless."""

    KIND: ClassVar[str] = "host.check-entropy/1"

    cluster: ClusterName
    at: At

    @property
    def command(self) -> str:
        """What is asked; reading this takes none of it."""
        return f"{self.at.host}: cat /proc/sys/kernel/random/entropy_avail"

    @property
    def waits(self) -> str | None:
        """Until there is enough."""
        return f"until it has {LOW} bits, at most {_WITHIN_MS // 1_000} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait. Raises Permanent with the figure."""
        cluster = world.inventory.clusters[self.cluster]
        await reach(world, cluster, self.at)
        bits = 0
        for _ in range(_WITHIN_MS // _POLL_MS):
            entropy = (await each_host(cluster, world, read_entropy))[self.at.host]
            if isinstance(entropy, Fault):
                raise Permanent(entropy.message)
            bits = entropy.available
            if bits >= LOW or not entropy.matters:
                await work.say(f"{self.at.host} has {bits:,} bits")
                return None
            await work.pause(_POLL_MS)
        message = f"{self.at.host} has {bits:,} bits after {_WITHIN_MS // 1_000} s, and not {LOW}."
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()
