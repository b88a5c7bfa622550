"""Restarting a part of a master, and seeing that another process serves. (P47; X6, X7)

`master-restart` ends with status 0 where it did nothing, so that only the process tells.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.check_api import WITHIN_S, unhealthy
from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import begun
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Work, World
from procedures.model import master
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.master import Healthz, Part
from procedures.model.probe import Fault

_POLL_MS = 2_000
_START_TIME = 19
"""Of what follows the name in /proc/PID/stat."""


@dataclass(frozen=True, slots=True)
class NoteParts:
    """Note which processes the parts of a master are, to tell them from those after a restart.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "host.note-parts/1"

    cluster: ClusterName
    at: At
    parts: tuple[Part, ...]

    @property
    def command(self) -> str:
        """What is asked."""
        asked = "; ".join(shlex.join(master.process(each)) for each in self.parts)
        return f"{self.at.host}: {asked}; and since when they run, from /proc"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Look. Gives by part its processes with their start times."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        found = {str(each): await _processes(world, cluster, host, each) for each in self.parts}
        for part, processes in found.items():
            await work.say(f"{host.name}: {part} is {processes or 'not running'}")
        return dict(found)

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()


@dataclass(frozen=True, slots=True)
class RestartPart:
    """Restart a part, unless it is another process than `was` noted; wait until a new one stays.

    `unit` is None for a static pod; `healthz` is for an API server. A late duplicate is harmless:
    the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.restart-part/1"

    cluster: ClusterName
    at: At
    part: Part
    unit: str | None
    was: Mapping[str, str]
    healthz: Healthz | None = None

    @property
    def command(self) -> str:
        """The exact commands."""
        typed = f"{self.at.host}: {shlex.join(self._restart.argv)}"
        return f"{typed}; then {self.healthz.typed}" if self.healthz else typed

    @property
    def waits(self) -> str | None:
        """Until a new process stays, and serves."""
        serves = " and says ok" if self.healthz else ""
        return f"until another process runs than before{serves}, at most {WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Restart it. Raises Permanent where nothing was restarted, or it does not serve."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        if not self._renewed(await _processes(world, cluster, host, self.part)):
            await do(world, work, cluster, host, self._restart)
        if missing := await self._comes(world, work, cluster, host):
            message = (
                f"{self.part} on {host.name} is not as it should be {WITHIN_S} s after its "
                f"restart: {missing}. Look at its log there."
            )
            raise Permanent(message)
        await work.say(f"{host.name}: {self.part} is a new process, and serves")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was told to restart, and has."""
        cluster = world.inventory.clusters[self.cluster]
        last = await begun(world, work, cluster, self.at, self._restart)
        if not isinstance(last, tuple):
            return last
        missing = await self._comes(world, work, cluster, last[0])
        return NotHappened() if missing else Happened()

    @property
    def _restart(self) -> Piece:
        return Piece("restart", master.restart(self.part, self.unit), WITHIN_S * 1_000)

    def _renewed(self, now: str) -> bool:
        before = set(self.was[str(self.part)].split())
        return bool(now) and not before & set(now.split())

    async def _comes(self, look: Look, work: Work, cluster: Cluster, host: Host) -> str:
        """Wait for a new process that is the same twice; says what is missing, if anything."""
        last, missing = "", ""
        for _ in range(WITHIN_S * 1_000 // _POLL_MS):
            try:
                now = await _processes(look, cluster, host, self.part)
                missing = await self._lacks(look, cluster, host, now)
                if not missing and now == last:
                    return ""
                last = now
            except Retryable as error:
                missing = str(error)
            await work.rest(_POLL_MS)
        return missing or "its process changes again and again"

    async def _lacks(self, look: Look, cluster: Cluster, host: Host, now: str) -> str:
        if not now:
            return "it does not run"
        if not self._renewed(now):
            return f"it is still the process from before, {now}"
        if self.healthz is None:
            return ""
        return await unhealthy(look, cluster, host, self.healthz)


async def _processes(look: Look, cluster: Cluster, host: Host, part: Part) -> str:
    """List a part's processes as PID@START, empty where it does not run. Raises Retryable."""
    said = await look.hosts.ask(cluster, host, master.process(part))
    if isinstance(said, Fault):
        raise Retryable(said.message)
    found = []
    for pid in said.out.split():
        stat = await look.hosts.ask(cluster, host, ("cat", f"/proc/{pid}/stat"))
        if isinstance(stat, Fault):
            raise Retryable(stat.message)
        if stat.status == 0:
            found.append(f"{pid}@{stat.out.rpartition(')')[2].split()[_START_TIME]}")
    return " ".join(found)
