"""Putting a file back as it is in a copy of a host's configuration. (catalogue P31)"""

import hashlib
import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.copy_config import NO_PLACE
from procedures.actions.host.pieces import Piece, do, reach
from procedures.actions.host.service import begun
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName
from procedures.model.probe import Fault

_UNITS = "/etc/systemd/"
_RELOAD = Piece("reload", ("systemctl", "daemon-reload"))


@dataclass(frozen=True, slots=True)
class RestoreFile:
    """Put a file of a copy in the place of what `was` (its SHA-256; None: nothing is there).

    What it holds comes from the copy when the step runs, and has to be `now` (SHA-256): so no key
    is ever part of a plan. A late duplicate is harmless: it finds its own content there, or is
    refused, and owner, mode and label are set to what they are.
    """

    KIND: ClassVar[str] = "host.restore-file/1"

    cluster: ClusterName
    at: At
    copy: str
    path: str
    was: str | None
    now: str
    mode: int
    owner: str
    group: str
    context: str | None
    change: str

    @property
    def command(self) -> str:
        """What changes, and the exact commands."""
        alike = "; ".join(shlex.join(piece.argv) for piece in self._pieces)
        then = f"; then {' '.join(_RELOAD.argv)}" if of_unit(self.path) else ""
        what = (
            f"write {self.path} from {self.copy}; owner and mode, where they differ: {alike}{then}"
        )
        return f"{self.at.host}: {what}\n{self.change}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Write it. Raises Permanent where something else is there meanwhile."""
        if world.backups is None:
            raise Permanent(NO_PLACE)
        cluster = world.inventory.clusters[self.cluster]
        wanted = (await world.backups.copies.read(self.cluster, self.copy)).file(self.path)
        if wanted is None or wanted.sha256 != self.now:
            message = f"{self.copy} does not hold {self.path} as it was approved. Ask again."
            raise Permanent(message)
        host = await reach(world, cluster, self.at)
        await work.guard()
        await world.on_hosts.write(
            cluster, host, self.path, wanted.content, was=self.was, mode=self.mode
        )
        for piece in self._lacking(await self._there(world)):
            await do(world, work, cluster, host, piece, finish=True)
        if of_unit(self.path):
            await do(world, work, cluster, host, _RELOAD, finish=True)
        kept = "; the former one is kept beside it" if self.was not in {None, self.now} else ""
        await work.say(f"{host.name}: {self.path} is as in {self.copy}{kept}")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Read it, once nothing of the step can run any more."""
        cluster = world.inventory.clusters[self.cluster]
        pieces = (_RELOAD, *reversed(self._pieces))
        last = await begun(world, work, cluster, self.at, *pieces)
        if isinstance(last, Unclear):
            return last
        if of_unit(self.path) and not (isinstance(last, tuple) and last[1] is _RELOAD):
            return NotHappened()
        try:
            there = await self._there(world)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        if there is None or _sha256(there) != self.now or self._lacking(there):
            return NotHappened()
        return Happened()

    async def _there(self, world: World) -> FileSeen | None:
        """Look at the file. Raises Retryable and Permanent."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        found = await world.hosts.read(cluster, host, self.path)
        if isinstance(found, Fault):
            raise Retryable(found.message)
        return found

    @property
    def _pieces(self) -> tuple[Piece, ...]:
        """What is set besides the content, in this order."""
        owner = Piece("owner", ("chown", f"{self.owner}:{self.group}", self.path))
        mode = Piece("mode", ("chmod", f"{self.mode:o}", self.path))
        label = Piece("label", ("chcon", self.context or "", self.path))
        return (owner, mode, label) if self.context else (owner, mode)

    def _lacking(self, there: FileSeen | None) -> list[Piece]:
        """What of it is not as it should be. A host without SELinux has no labels."""
        fine = {
            "owner": there and (there.owner, there.group) == (self.owner, self.group),
            "mode": there and there.mode == self.mode,
            "label": there and there.context in {None, self.context},
        }
        return [piece for piece in self._pieces if not fine[piece.name]]


def of_unit(path: str) -> bool:
    """Tell whether systemd has to be told of a change to this file."""
    return path.startswith(_UNITS)


def _sha256(found: FileSeen) -> str:
    return hashlib.sha256(found.content).hexdigest()
