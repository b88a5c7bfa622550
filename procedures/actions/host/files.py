"""Files on hosts: writing one in the place of another, and moving a folder aside."""

import difflib
import hashlib
import posixpath
import shlex
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.pieces import Piece, do, holds, reach
from procedures.actions.host.service import Service, begun
from procedures.engine.ports import Finding, Happened, NotHappened, Unclear, Work, World
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Platform
from procedures.model.platform import layout
from procedures.model.probe import Fault


def difference(path: str, before: str, after: str) -> str:
    """Show what changes in a file, without lines around it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, "", "", 0, "")
    return "\n".join(line for line in lines if not line.startswith("@@"))


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Put a text file in the place of what `was` (its SHA-256; None: nothing is there).

    A late duplicate is harmless: it finds its own content there, or is refused.
    """

    KIND: ClassVar[str] = "host.write-file/1"

    cluster: ClusterName
    at: At
    path: str
    content: str
    was: str | None
    change: str

    @property
    def command(self) -> str:
        """What changes; for a new file all of it."""
        return f"{self.at.host}: write {self.path}\n{self.change}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Write it. Raises Permanent where something else is there meanwhile."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        await work.guard()
        await world.on_hosts.write(
            cluster, host, self.path, self.content.encode(), was=self.was, mode=0o644
        )
        await work.say(f"{host.name}: wrote {self.path}; the former one is kept beside it")
        return None

    async def probe(self, world: World, _work: Work) -> Finding:
        """Read it."""
        cluster = world.inventory.clusters[self.cluster]
        try:
            host = await reach(world, cluster, self.at)
        except (Retryable, Permanent) as error:
            return Unclear(str(error))
        found = await world.hosts.read(cluster, host, self.path)
        if isinstance(found, Fault):
            return Unclear(found.message)
        written = isinstance(found, FileSeen) and _sha(found) == _sha(self.content.encode())
        return Happened() if written else NotHappened()


@dataclass(frozen=True, slots=True)
class PlaceFile(WriteFile):
    """The same for a file whose folder may not be there yet, and with a mode of its own.

    A late duplicate is harmless: the folder is made once under its mark, or is there.
    """

    KIND: ClassVar[str] = "host.place-file/1"

    mode: int = 0o644

    @property
    def command(self) -> str:
        """What changes; for a new file its folder and mode too."""
        if self.was is not None:
            return f"{self.at.host}: write {self.path}\n{self.change}"
        folder = f"{shlex.join(self._folder.argv)}, where it is missing"
        return f"{self.at.host}: {folder}; write {self.path}, mode {self.mode:04o}\n{self.change}"

    @property
    def _folder(self) -> Piece:
        return Piece("folder", ("mkdir", "--parents", posixpath.dirname(self.path)))

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Make the folder where it is missing, and write. Raises Permanent like `WriteFile`."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        if not await holds(world, cluster, host, ("test", "-d", posixpath.dirname(self.path))):
            await do(world, work, cluster, host, self._folder)
        await work.guard()
        content = self.content.encode()
        await world.on_hosts.write(cluster, host, self.path, content, was=self.was, mode=self.mode)
        await work.say(f"{host.name}: wrote {self.path}")
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """See that no folder is made late, and read the file."""
        cluster = world.inventory.clusters[self.cluster]
        folder = await begun(world, work, cluster, self.at, self._folder)
        return folder if isinstance(folder, Unclear) else await WriteFile.probe(self, world, work)


def placed(
    cluster: ClusterName, at: At, path: str, was: FileSeen | None, content: str, *, mode: int
) -> PlaceFile:
    """Write a file in the place of one that was read, or a new one, and show what changes.

    Raises Refused for what is no text.
    """
    change = difference(path, _shown(was), _text(at, path, content))
    return PlaceFile(cluster, at, path, content, _sha(was) if was else None, change, mode)


def rewritten(
    cluster: ClusterName, at: At, path: str, was: FileSeen | None, content: str
) -> WriteFile:
    """Write a file in the place of one that was read, and show what changes. Raises Refused."""
    change = difference(path, _shown(was), _text(at, path, content))
    return WriteFile(cluster, at, path, content, _sha(was) if was else None, change)


def written_again(first: WriteFile, content: str) -> WriteFile:
    """Write a file once more, which `first` has written by then."""
    change = difference(first.path, first.content, content)
    sha = _sha(first.content.encode())
    return WriteFile(first.cluster, first.at, first.path, content, sha, change)


@dataclass(frozen=True, slots=True)
class MoveAside:
    """Give a folder in etcd's data folder another name. No etcd may run; nothing is deleted.

    A late duplicate is harmless: the command runs once under its mark, and replaces nothing.
    """

    KIND: ClassVar[str] = "host.move-aside/1"

    cluster: ClusterName
    platform: Platform
    at: At
    path: str
    to: str

    @property
    def command(self) -> str:
        """The exact command."""
        return f"{self.at.host}: {shlex.join(self._argv)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    @property
    def _argv(self) -> tuple[str, ...]:
        return ("mv", "--no-clobber", "--no-target-directory", self.path, self.to)

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Move it. Raises Refused where an etcd runs there."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        if await Service(cluster, host, layout(self.platform)).runs(world):
            message = f"etcd runs on {host.name}: its data is not moved while it does."
            raise Refused(message)
        if await holds(world, cluster, host, ("test", "-e", self.to)):
            if not await holds(world, cluster, host, ("test", "-e", self.path)):
                # It was free when the plan was made: an attempt that broke off after it has moved.
                await work.say(f"{host.name}: {self.to} is there, and {self.path} is not")
                return None
            message = f"{self.to} is there already on {host.name}. Ask again."
            raise Permanent(message)
        await do(world, work, cluster, host, Piece("move", self._argv))
        if await holds(world, cluster, host, ("test", "-e", self.path)):
            message = f"{self.path} on {host.name} was not moved: something is at {self.to}."
            raise Permanent(message)
        return None

    async def probe(self, world: World, work: Work) -> Finding:
        """Look whether it lies in its new place."""
        cluster = world.inventory.clusters[self.cluster]
        last = await begun(world, work, cluster, self.at, Piece("move", self._argv))
        if not isinstance(last, tuple):
            return last
        try:
            there = await holds(world, cluster, last[0], ("test", "-e", self.path))
            moved = await holds(world, cluster, last[0], ("test", "-e", self.to))
        except Retryable as error:
            return Unclear(str(error))
        return Happened() if moved and not there else NotHappened()


def is_text(content: str) -> bool:
    """Tell whether it is without bytes that are no UTF-8: a plan is text, with all it writes."""
    return not any("\ud800" <= each <= "\udfff" for each in content)


def _text(at: At, path: str, content: str) -> str:
    if not is_text(content):
        message = (
            f"What {path} on {at.host} is to have is no UTF-8 text: it keeps a line with other "
            "bytes, maybe a comment. Write that line anew, here and where it was taken from."
        )
        raise Refused(message)
    return content


def _shown(was: FileSeen | None) -> str:
    return was.content.decode("utf-8", "backslashreplace") if was else ""


def _sha(content: FileSeen | bytes) -> str:
    return hashlib.sha256(content.content if isinstance(content, FileSeen) else content).hexdigest()
