"""Changing a few lines of a file on a host whose other lines no plan may hold. (P48, P52, P56)"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.files import difference
from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, Happened, Look, NotHappened, Unclear, Work, World
from procedures.model.edits import EDITS, SHOWN
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault


@dataclass(frozen=True, slots=True)
class EditFile:
    """Make a known edit with these values, of what `was` (SHA-256) to what it `becomes`.

    The rest of the file may hold passwords: it is read on the host, and is in no plan. A late
    duplicate is harmless: it finds what it would write, or is refused.
    """

    KIND: ClassVar[str] = "host.edit-file/1"

    cluster: ClusterName
    at: At
    path: str
    edit: str
    values: tuple[str, ...]
    was: str
    becomes: str
    change: str

    @property
    def command(self) -> str:
        """What changes."""
        return f"{self.at.host}: write {self.path}\n{self.change}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Change it. Raises Permanent where it is another file meanwhile."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        found = await self._read(world, cluster, host)
        if _sha(found) == self.becomes:
            await work.say(f"{host.name}: {self.path} reads so already")
            return None
        if _sha(found) != self.was:
            message = f"{self.path} on {host.name} is another one than was approved. Ask again."
            raise Permanent(message)
        content = made(self.edit, found, self.values).encode()
        if _sha(content) != self.becomes:
            message = f"{self.path} would become another file than was approved. Ask again."
            raise Permanent(message)
        await work.guard()
        await world.on_hosts.write(cluster, host, self.path, content, was=self.was)
        await work.say(f"{host.name}: wrote {self.path}; the former one is kept beside it")
        return None

    async def probe(self, world: World, _work: Work) -> Finding:
        """Read it."""
        cluster = world.inventory.clusters[self.cluster]
        try:
            found = await self._read(world, cluster, await reach(world, cluster, self.at))
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        return Happened() if _sha(found) == self.becomes else NotHappened()

    async def _read(self, look: Look, cluster: Cluster, host: Host) -> FileSeen:
        found = await look.hosts.read(cluster, host, self.path)
        if isinstance(found, Fault):
            raise Retryable(found.message)
        if found is None:
            message = f"{self.path} on {host.name} is gone. Ask again."
            raise Permanent(message)
        return found


def edited(
    cluster: ClusterName,
    at: At,
    path: str,
    was: FileSeen,
    *,
    edit: str,
    values: tuple[str, ...],
) -> EditFile | None:
    """Edit a file that was read; None where nothing changes. Raises ValueError."""
    content = made(edit, was, values)
    before = was.content.decode()
    if content == before:
        return None
    shown = SHOWN.get(edit, str)
    return EditFile(
        cluster,
        at,
        path,
        edit,
        values,
        _sha(was),
        _sha(content.encode()),
        difference(path, shown(before), shown(content)),
    )


def made(edit: str, was: FileSeen, values: tuple[str, ...]) -> str:
    """What the edit makes of a file. Raises ValueError where it is no UTF-8 or cannot be edited."""
    return EDITS[edit](was.content.decode(), values)


def _sha(content: FileSeen | bytes) -> str:
    return hashlib.sha256(content.content if isinstance(content, FileSeen) else content).hexdigest()
