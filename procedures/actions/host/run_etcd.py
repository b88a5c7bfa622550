"""Starting etcd on a host that joins, and ending it for good on one that has left."""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import Service, begun
from procedures.engine.ports import Finding, Happened, NotHappened, Work, World
from procedures.etcd.hosts import member_on
from procedures.etcd.observe import observed
from procedures.etcd.residents import require_nobodys
from procedures.model.errors import InDoubt, Permanent, Refused
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.platform import Argv, layout


@dataclass(frozen=True, slots=True)
class StartEtcd:
    """Start etcd on a host, now and at each boot, and wait until its process is there.

    A late duplicate is harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.start-etcd/1"

    cluster: ClusterName
    platform: Platform
    at: At

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._argv)}"

    @property
    def waits(self) -> str | None:
        """Until it is there."""
        return f"until etcd runs, at most {layout(self.platform).start_within_ms // 1_000} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Start it. Raises Permanent where it does not stay."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        host = await reach(world, cluster, self.at)
        etcd = Service(cluster, host, how)
        if how.armed is None or not await etcd.armed(world):
            await do(world, work, cluster, host, Piece("start", self._argv))
        if not await etcd.there(world, work):
            message = f"etcd does not run on {host.name}. Look at its log there."
            raise Permanent(message)
        await work.say(f"etcd runs on {host.name}")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was started, and runs."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        last = await begun(world, work, cluster, self.at, Piece("start", self._argv))
        if not isinstance(last, tuple):
            return last
        return (
            Happened() if await Service(cluster, last[0], how).there(world, work) else NotHappened()
        )

    @property
    def _argv(self) -> Argv:
        return layout(self.platform).revive


@dataclass(frozen=True, slots=True)
class StartTogether(StartEtcd):
    """Start etcd where others have to start too before it is ready: only its process is awaited."""

    KIND: ClassVar[str] = "host.start-etcd-together/1"

    @property
    def _argv(self) -> Argv:
        return layout(self.platform).revive_together


@dataclass(frozen=True, slots=True)
class RetireEtcd:
    """Stop etcd for good on the host of a member that was removed.

    A removed member that starts again ends at once with status 0, and a unit that always restarts
    would try for ever. A late duplicate is harmless: the command runs once under its mark.
    """

    KIND: ClassVar[str] = "host.retire-etcd/1"

    cluster: ClusterName
    platform: Platform
    at: At

    @property
    def command(self) -> str:
        """The exact command."""
        how = layout(self.platform)
        return f"{self.at.host}: {how.typed(how.retire)}"

    @property
    def waits(self) -> str | None:
        """Until it is gone."""
        return f"until no etcd runs, at most {layout(self.platform).stop_within_ms // 1_000} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Stop it, where it is no member's that is in the list. Raises Refused where it is."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        host = await reach(world, cluster, self.at)
        view = await observed(self.cluster, world)
        if row := member_on(host, view):
            message = f"{host.name} has the member {row.name or row.id}: its etcd stays on."
            raise Refused(message)
        await require_nobodys(world, cluster, host, view)
        etcd = Service(cluster, host, how)
        # A unit that does not run may be enabled still, and would be back with the next boot; on a
        # machine that was set up anew there may be none.
        if await (etcd.known(world) if how.armed is None else etcd.armed(world)):
            await etcd.prepare(world, work)
            await do(world, work, cluster, host, Piece("retire", how.retire))
        await etcd.stays_off(world)
        if not await etcd.ended(world, work):
            message = f"etcd still runs on {host.name}."
            raise InDoubt(message)
        await work.say(f"etcd is off on {host.name}, and stays off")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was told to go, and has gone."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        pieces = [Piece("retire", how.retire)]
        if how.before_stop:
            pieces.append(Piece("folder", how.before_stop))
        last = await begun(world, work, cluster, self.at, *pieces)
        if not isinstance(last, tuple):
            return last
        if last[1].name == "folder":
            return NotHappened()
        return await Service(cluster, last[0], how).found_off(world, work)
