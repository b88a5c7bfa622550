"""Waiting until the API server of a master serves. (catalogue P46, P47)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, Look, NotHappened, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.master import Healthz
from procedures.model.probe import Fault

WITHIN_S = 180
_POLL_MS = 2_000


@dataclass(frozen=True, slots=True)
class CheckApi:
    """Wait until a master's own API server says ok.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "host.check-api/1"

    cluster: ClusterName
    at: At
    healthz: Healthz

    @property
    def command(self) -> str:
        """What is asked."""
        return f"{self.at.host}: {self.healthz.typed}"

    @property
    def waits(self) -> str | None:
        """Until it says ok."""
        return f"until it says ok, at most {WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Wait. Raises Permanent where it does not serve in time."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        said = ""
        for _ in range(WITHIN_S * 1_000 // _POLL_MS):
            try:
                now = await unhealthy(world, cluster, host, self.healthz)
            except Retryable as error:
                now = str(error)
            if not now:
                await work.say(f"{host.name}: the API server says ok")
                return None
            if now != said:
                await work.say(f"waiting: {now}")
                said = now
            await work.pause(_POLL_MS)
        message = f"The API server on {host.name} does not serve after {WITHIN_S} s: {said}."
        raise Permanent(message)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()


async def unhealthy(look: Look, cluster: Cluster, host: Host, healthz: Healthz) -> str:
    """Ask it on its own host; empty where it says ok. Raises Retryable."""
    said = await look.hosts.ask(cluster, host, healthz.argv)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    answer = (said.out or said.err).strip()
    return "" if said.status == 0 and answer == "ok" else f"/healthz says {answer[:200]!r}"
