"""Restarting etcd on one host. (rules R9, R10)"""

import shlex
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import same
from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import Service, begun
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.etcd.forcing import forbid_ordered
from procedures.etcd.observe import observe, observed
from procedures.etcd.residents import forbid_another
from procedures.model import quorum
from procedures.model.errors import InDoubt, Permanent, Refused, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.member import Identity
from procedures.model.platform import layout
from procedures.model.probe import Fault


@dataclass(frozen=True, slots=True)
class RestartEtcd:
    """Stop etcd on its host, wait until it is gone, and start it.

    `outage` accepts that nobody serves meanwhile, where no voter can be spared and all are healthy.
    A late duplicate is harmless: each command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.restart-etcd/1"

    cluster: ClusterName
    platform: Platform
    at: At
    member: Identity
    outage: bool = field(default=False, kw_only=True)

    @property
    def command(self) -> str:
        """The exact commands."""
        how = layout(self.platform)
        typed = f"{self.at.host}: {how.typed(how.stop, how.start)}"
        if how.forgive:
            typed += f" (after {shlex.join(how.forgive)} where systemd has given it up)"
        return typed

    @property
    def waits(self) -> str | None:
        """Until it is gone, and until it is there."""
        how = layout(self.platform)
        gone, there = how.stop_within_ms // 1_000, how.start_within_ms // 1_000
        return f"until no etcd runs, at most {gone} s; until one does, {there} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Restart it, after looking once more whether the others keep quorum.

        One that does not run is started, whatever the others do: it can only help them, unless it
        is told to forget them.
        """
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        host = await reach(world, cluster, self.at)
        etcd = Service(cluster, host, how)
        await forbid_ordered(world, cluster, host)
        if await etcd.armed(world):
            await work.say(await self._allowed(world))
            await self._its_own(world, cluster, host)
            await etcd.prepare(world, work)
            await do(world, work, cluster, host, Piece("stop", how.stop))
        await etcd.let_go(world)
        if not await etcd.gone(world, work):
            message = f"etcd still runs on {host.name} after {how.stop_within_ms // 1_000} s."
            raise InDoubt(message)
        await self._meanwhile(world, work, cluster, host)
        if await etcd.given_up(world):
            await do(world, work, cluster, host, Piece("forgive", how.forgive or ()), finish=True)
        await do(world, work, cluster, host, Piece("start", how.start), finish=True)
        if not await etcd.there(world, work):
            message = (
                f"etcd does not run on {host.name} {how.start_within_ms // 1_000} s after it "
                "was started. Look at its log there."
            )
            raise Permanent(message)
        await work.say(f"etcd runs on {host.name} again")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look how far it came. What was stopped and not started is not done."""
        cluster, how = world.inventory.clusters[self.cluster], layout(self.platform)
        pieces = [Piece("start", how.start), Piece("stop", how.stop)]
        if how.forgive:
            pieces.insert(1, Piece("forgive", how.forgive))
        if how.before_stop:
            pieces.append(Piece("folder", how.before_stop))
        last = await begun(world, work, cluster, self.at, *pieces)
        if isinstance(last, Unclear):
            return last
        if isinstance(last, tuple) and last[1].name == "folder":
            last = NotHappened()
        try:
            etcd = Service(cluster, await reach(world, cluster, self.at), how)
            if isinstance(last, tuple) and last[1].name == "start":
                if await etcd.there(world, work):
                    return Happened()
            elif isinstance(last, tuple):
                await etcd.gone(world, work)
            tried = isinstance(last, tuple) or work.mark("stop").attempt > 1
            return NotHappened(halfway=tried and not await etcd.armed(world))
        except (Retryable, Permanent) as error:
            return Unclear(str(error))

    async def _meanwhile(self, world: World, work: Work, cluster: Cluster, host: Host) -> None:
        """Do what needs an etcd that does not run. It raises nothing: etcd is started after it."""

    async def _its_own(self, world: World, cluster: Cluster, host: Host) -> None:
        """Make sure that the etcd there is no other member's (R7). Raises Refused, Retryable.

        The rules have spoken about the one that was meant.
        """
        view = await observe(cluster, world)
        config = await world.hosts.read(cluster, host, layout(self.platform).config)
        if isinstance(config, Fault):
            raise Retryable(config.message)
        forbid_another(host, config, view, self.member)

    async def _allowed(self, world: World) -> str:
        """R9 and R10 once more. Raises Refused or Permanent; gives the figures."""
        view = await observed(self.cluster, world)
        if same(view, self.member) is None:
            message = f"{self.member.shown} is not a member any more. Ask again."
            raise Permanent(message)
        ruling = quorum.may_restart(view.members, self.member.id, outage=self.outage)
        if not ruling.allowed:
            message = f"{ruling.because} ({ruling.rule})."
            raise Refused(message)
        if view.leader == self.member.id and len(view.voters) > 1:
            message = (
                f"{self.member.shown} leads again (R9). Move leadership with /etcd move-leader, "
                "then resume."
            )
            raise Permanent(message)
        return ruling.because


@dataclass(frozen=True, slots=True)
class RestartOnly(RestartEtcd):
    """Restart etcd where its member is the only one: nobody else has quorum to lose. (P32)"""

    KIND: ClassVar[str] = "host.restart-only/1"

    async def _allowed(self, world: World) -> str:
        view = await observe(world.inventory.clusters[self.cluster], world)
        rows = [seen.listed for seen in view.seen if seen.listed]
        others = [row.name or row.id for row in rows if row.id != self.member.id]
        if others:
            message = f"{self.member.name} is not alone: {', '.join(others)} is a member too."
            raise Refused(message)
        return f"{self.member.name} is the only member"
