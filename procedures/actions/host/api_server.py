"""Stopping and starting an API server beside etcd. (catalogue P34; rule R14)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import begun
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.platform import ApiServer, Argv, layout
from procedures.model.probe import Fault

_WITHIN_S = 120
_POLL_MS = 1_000


@dataclass(frozen=True, slots=True)
class _OnApi:
    """One API server on one host.

    A late duplicate is harmless: each command bears a mark on the host, under which it runs once.
    """

    cluster: ClusterName
    platform: Platform
    at: At
    name: str

    @property
    def _api(self) -> ApiServer:
        return next(each for each in layout(self.platform).apis if each.name == self.name)

    async def _comes(
        self, world: World, work: Work, cluster: Cluster, host: Host, *, runs: bool
    ) -> bool:
        """Wait until it runs or does not; tells whether that came."""
        for _ in range(_WITHIN_S * 1_000 // _POLL_MS):
            try:
                if await _yes(world, cluster, host, self._api.runs) is runs:
                    return True
            except Retryable as error:
                await work.say(str(error))
            await work.rest(_POLL_MS)
        return False


@dataclass(frozen=True, slots=True)
class StopApi(_OnApi):
    """Stop it, so that it serves nothing old, and wait until it is gone."""

    KIND: ClassVar[str] = "host.stop-api/1"

    @property
    def command(self) -> str:
        """The exact commands."""
        stop = shlex.join(self._api.stop)
        if self._api.beside:
            stop = f"{shlex.join(self._folder.argv)}, where it is missing; {stop}"
        return f"{self.at.host}: {stop}"

    @property
    def waits(self) -> str | None:
        """Until it is gone."""
        return f"until it does not run, at most {_WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Stop it. Raises InDoubt where it does not end."""
        cluster, api = world.inventory.clusters[self.cluster], self._api
        host = await reach(world, cluster, self.at)
        if api.beside and not await _yes(world, cluster, host, ("test", "-d", api.beside)):
            await do(world, work, cluster, host, self._folder)
        if await _yes(world, cluster, host, api.armed):
            await do(world, work, cluster, host, Piece("stop", api.stop))
            await self._let_go(world, cluster, host)
        if not await self._comes(world, work, cluster, host, runs=False):
            message = f"{self.name} still runs on {host.name} after {_WITHIN_S} s."
            raise InDoubt(message)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was told to go, and has gone."""
        cluster, stop = world.inventory.clusters[self.cluster], Piece("stop", self._api.stop)
        last = await begun(world, work, cluster, self.at, stop, self._folder)
        if not isinstance(last, tuple):
            return last
        host, piece = last
        if piece is not stop:
            return NotHappened()
        if not await self._comes(world, work, cluster, host, runs=False):
            return NotHappened()
        try:
            again = await _yes(world, cluster, host, self._api.armed)
        except Retryable as error:
            return Unclear(str(error))
        return NotHappened() if again else Happened()

    async def _let_go(self, world: World, cluster: Cluster, host: Host) -> None:
        """Make sure that nothing starts it again; without etcd it ends by itself, and is started.

        Raises Permanent: `mv --no-clobber` moves nothing where a file is in its way.
        """
        if await _yes(world, cluster, host, self._api.armed):
            message = (
                f"{host.name} is still told to run {self.name}, although "
                f"`{shlex.join(self._api.stop)}` ended with status 0: something is in its way. "
                "Look at it, move it elsewhere, and resume."
            )
            raise Permanent(message)

    @property
    def _folder(self) -> Piece:
        return Piece("folder", ("mkdir", "--parents", self._api.beside or "/etc"))


@dataclass(frozen=True, slots=True)
class StartApi(_OnApi):
    """Start it, now that etcd has the restored data, and wait until it is there."""

    KIND: ClassVar[str] = "host.start-api/1"

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._api.start)}"

    @property
    def waits(self) -> str | None:
        """Until it is there."""
        return f"until it runs, at most {_WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Start it. Raises Permanent where it does not stay."""
        cluster, api = world.inventory.clusters[self.cluster], self._api
        host = await reach(world, cluster, self.at)
        if not await _yes(world, cluster, host, api.armed):
            await do(world, work, cluster, host, Piece("start", api.start))
        if not await self._comes(world, work, cluster, host, runs=True):
            message = f"{self.name} does not run on {host.name}. Look at its log there."
            raise Permanent(message)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it was started, and runs."""
        cluster, start = world.inventory.clusters[self.cluster], Piece("start", self._api.start)
        last = await begun(world, work, cluster, self.at, start)
        if not isinstance(last, tuple):
            return last
        there = await self._comes(world, work, cluster, last[0], runs=True)
        return Happened() if there else NotHappened()


async def _yes(world: World, cluster: Cluster, host: Host, argv: Argv) -> bool:
    """Ask a question that is answered by status 0, or any other. Raises Retryable."""
    said = await world.hosts.ask(cluster, host, argv)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    return said.status == 0
