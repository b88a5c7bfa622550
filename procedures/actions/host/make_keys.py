"""Making keys on the host that uses them, with requests to sign them. (catalogue P53, P65)"""

import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, holds, reach, settled
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Unclear, Work, World
from procedures.model import certificate
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, Ended, FileSeen
from procedures.model.ids import ClusterName, RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault
from procedures.model.restoring import RUN
from procedures.model.signing import Beside, NewPair, public_argv


@dataclass(frozen=True, slots=True)
class MakeKeys:
    """Make new keys in a folder of the run's own, which only root can enter.

    Nothing uses them yet. A late duplicate is harmless: each command bears a mark on the host,
    under which it runs once.
    """

    KIND: ClassVar[str] = "host.make-keys/1"

    cluster: ClusterName
    at: At
    pairs: tuple[NewPair, ...]

    @property
    def command(self) -> str:
        """The exact commands."""
        pieces = (self._folder(RUN), *self._keys(RUN).values(), self._sync(RUN))
        return "\n".join(f"{self.at.host}: {shlex.join(each.argv)}" for each in pieces)

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Make those that are not there yet. Raises Permanent where openssl does not."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("sync").run
        host, beside = await reach(world, cluster, self.at), Beside(self.pairs, run)
        if not await holds(world, cluster, host, ("test", "-d", beside.old)):
            await do(world, work, cluster, host, self._folder(run))
        for pair, piece in self._keys(run).items():
            if await requested_key(world, cluster, host, beside, pair) is None:
                await do(world, work, cluster, host, piece)
        await do(world, work, cluster, host, self._sync(run))
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Settle what was begun; only the last command tells that all came to its end."""
        cluster, run = world.inventory.clusters[self.cluster], work.mark("sync").run
        try:
            host = await reach(world, cluster, self.at)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        last = self._sync(run)
        for piece in (last, *self._keys(run).values(), self._folder(run)):
            trace = await settled(world, work, cluster, host, piece)
            if isinstance(trace, Unclear):
                return trace
            if piece is last and trace == Ended(0):
                return Happened()
        return NotHappened()

    def _folder(self, run: RunId) -> Piece:
        beside = Beside(self.pairs, run)
        return Piece("folder", ("mkdir", "--parents", "--mode=0700", beside.folder, beside.old))

    def _keys(self, run: RunId) -> dict[NewPair, Piece]:
        beside = Beside(self.pairs, run)
        return {each: Piece(f"key-{each.name}", beside.request_argv(each)) for each in self.pairs}

    def _sync(self, run: RunId) -> Piece:
        beside = Beside(self.pairs, run)
        return Piece("sync", ("sync", *(beside.made(each.key) for each in self.pairs)))


async def requested_key(
    look: Look, cluster: Cluster, host: Host, beside: Beside, pair: NewPair
) -> bytes | None:
    """The public half of a new key, where its request is there too and fits. Raises Retryable."""
    request = await look.hosts.read(cluster, host, beside.request(pair))
    if isinstance(request, Fault):
        raise Retryable(request.message)
    key = certificate.request_key(request.content) if isinstance(request, FileSeen) else None
    if key is None or key != await public_key(look, cluster, host, beside.made(pair.key)):
        return None
    return key


async def public_key(look: Look, cluster: Cluster, host: Host, path: str) -> bytes | None:
    """The public half of a key, as its host tells it; None where it tells none.

    Raises Retryable where the host cannot be asked.
    """
    said = await look.hosts.ask(cluster, host, public_argv(path))
    if isinstance(said, Fault):
        raise Retryable(said.message)
    return certificate.public_key(said.out.encode()) if said.status == 0 else None
