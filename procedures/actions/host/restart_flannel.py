"""Restarting Flannel on a host, so that it asks etcd where it is now. (catalogue P46)"""

import hashlib
import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import begun
from procedures.engine.ports import Finding, Happened, NotHappened, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault

UNIT = "flanneld.service"
SUBNET = "/run/flannel/subnet.env"
"""Which addresses the pods of this host have."""

_WITHIN_S = 60
_POLL_MS = 2_000
_RESTART = Piece("restart", ("systemctl", "restart", UNIT))
_ACTIVE = ("systemctl", "is-active", "--quiet", UNIT)


@dataclass(frozen=True, slots=True)
class RestartFlannel:
    """Restart it, wait until it stays, and see that the host keeps its subnet.

    `subnet` is the SHA-256 of the file that says which; None where there is none. A late duplicate
    is harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.restart-flannel/1"

    cluster: ClusterName
    at: At
    subnet: str | None

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(_RESTART.argv)}"

    @property
    def waits(self) -> str | None:
        """Until it is active."""
        same = f", with the same {SUBNET}" if self.subnet else ""
        return f"until it is active{same}, at most {_WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Restart it. Raises Permanent where it does not stay, or has other addresses."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await do(world, work, cluster, host, _RESTART)
        if missing := await self._comes(world, work, cluster, host):
            message = f"{missing} {_WITHIN_S} s after its restart. Look at its log there."
            raise Permanent(message)
        await work.say(f"{host.name}: {UNIT} is active")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was told to restart, and is there."""
        cluster = world.inventory.clusters[self.cluster]
        last = await begun(world, work, cluster, self.at, _RESTART)
        if not isinstance(last, tuple):
            return last
        missing = await self._comes(world, work, cluster, last[0])
        return NotHappened() if missing else Happened()

    async def _comes(self, world: World, work: Work, cluster: Cluster, host: Host) -> str:
        """Wait until it was active twice; says what is missing, if anything."""
        times, missing = 0, ""
        for _ in range(_WITHIN_S * 1_000 // _POLL_MS):
            try:
                missing = await self._lacks(world, cluster, host)
                times = 0 if missing else times + 1
                if times > 1:
                    return ""
            except Retryable as error:
                missing = str(error)
            await work.rest(_POLL_MS)
        return missing or f"{UNIT} on {host.name} starts again and again"

    async def _lacks(self, world: World, cluster: Cluster, host: Host) -> str:
        if not await _active(world, cluster, host):
            return f"{UNIT} on {host.name} is not active"
        found = await world.hosts.read(cluster, host, SUBNET)
        if isinstance(found, Fault):
            raise Retryable(found.message)
        same = self.subnet is None or subnet_of(found) == self.subnet
        return "" if same else f"{SUBNET} on {host.name} says another subnet than before"


def subnet_of(found: FileSeen | None) -> str | None:
    """Tell one subnet from another, by its file."""
    return hashlib.sha256(found.content).hexdigest() if found else None


async def _active(world: World, cluster: Cluster, host: Host) -> bool:
    said = await world.hosts.ask(cluster, host, _ACTIVE)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    return said.status == 0
