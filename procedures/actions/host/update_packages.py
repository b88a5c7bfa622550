"""Channels and packages of an etcd host. (catalogue P58; rules R9, R10, R19; X18)"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import same
from procedures.actions.host.command import Command
from procedures.actions.host.pieces import Piece, do, reach, settled
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Unclear, Work, World
from procedures.etcd.forcing import forbid_ordered
from procedures.etcd.observe import observed
from procedures.model import packages, quorum
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At, Ended, Lost, NeverStarted
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.member import Identity
from procedures.model.probe import Fault

LIMIT_S = 1_800
_ASK_MS = 60_000


@dataclass(frozen=True, slots=True)
class CheckRegistered:
    """See that a host is registered. It changes nothing, so that a duplicate is harmless."""

    KIND: ClassVar[str] = "host.check-registered/1"

    cluster: ClusterName
    at: At

    @property
    def command(self) -> str:
        """What is asked."""
        return f"{self.at.host}: {shlex.join(packages.IDENTITY)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Ask. Raises Permanent where it is not."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        said = await world.hosts.ask(cluster, host, packages.IDENTITY, _ASK_MS)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        if said.status:
            message = f"{host.name} is not registered yet: {(said.err or said.out).strip()[:300]}"
            raise Permanent(message)
        await work.say(f"{host.name} is registered")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply asked again."""
        return NotHappened()


@dataclass(frozen=True, slots=True)
class EnableChannels(Command):
    """Let packages come from these channels too.

    A late duplicate is harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.enable-channels/1"

    cluster: ClusterName
    at: At
    channels: tuple[str, ...]

    def _piece(self, _run: RunId) -> Piece:
        return Piece("enable", packages.enable(self.channels), 300_000)


@dataclass(frozen=True, slots=True)
class UpdatePackages:
    """Update packages to these versions; the update of etcd's own restarts it.

    `outage` accepts that nobody serves meanwhile, where no voter can be spared and all are healthy.
    A late duplicate is harmless: the command bears a mark on the host, under which it runs once.
    """

    KIND: ClassVar[str] = "host.update-packages/1"

    cluster: ClusterName
    at: At
    member: Identity
    packages: Mapping[str, str]
    outage: bool = False

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._piece.argv)}"

    @property
    def waits(self) -> str | None:
        """Until yum ends."""
        return f"until yum ends, at most {LIMIT_S // 60} min"

    @property
    def _piece(self) -> Piece:
        return Piece("update", packages.update(self.packages), LIMIT_S * 1_000, whole=True)

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Update them, after looking once more whether the others keep quorum."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        if packages.ETCD in self.packages:
            await forbid_ordered(world, cluster, host)
        await work.say(await self._allowed(world))
        if not await self._is_done(world, cluster, host):
            await do(world, work, cluster, host, self._piece)
        if not await self._is_done(world, cluster, host):
            message = f"yum ended with status 0 on {host.name}, and has not installed all of it."
            raise Permanent(message)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Ask which versions are there, when it is known that yum has ended."""
        cluster = world.inventory.clusters[self.cluster]
        try:
            host = await reach(world, cluster, self.at)
            trace = await settled(world, work, cluster, host, self._piece)
            if isinstance(trace, NeverStarted):
                return NotHappened()
            if isinstance(trace, Unclear):
                return trace
            if trace == Ended(0) and await self._is_done(world, cluster, host):
                return Happened()
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        if isinstance(trace, Lost):
            return Unclear(
                f"yum was cut off on {host.name}: look at `yum history` there, and finish with "
                "yum-complete-transaction."
            )
        return NotHappened()

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
        leads = view.leader == self.member.id and len(view.voters) > 1
        if leads and packages.ETCD in self.packages:
            message = (
                f"{self.member.shown} leads again (R9). Move leadership with /etcd move-leader, "
                "then resume."
            )
            raise Permanent(message)
        return ruling.because

    async def _is_done(self, look: Look, cluster: Cluster, host: Host) -> bool:
        said = await look.hosts.ask(cluster, host, packages.INSTALLED, _ASK_MS)
        if isinstance(said, Fault):
            raise Retryable(said.message)
        there = packages.installed(said.out)
        wanted = {name: packages.as_installed(at) for name, at in self.packages.items()}
        return all(there.get(name) == at for name, at in wanted.items())
