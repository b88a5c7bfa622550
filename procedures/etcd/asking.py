"""Asking a machine while a plan is made: where it gives no answer, there is no plan."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from procedures.engine.hosts import ASK_MS
from procedures.engine.ports import Look
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Said
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault

_VERSION = re.compile(r"\b(\d+)\.(\d+)\.\d+")


@dataclass(frozen=True, slots=True)
class Asking:
    """One machine of a cluster."""

    look: Look
    cluster: Cluster
    host: Host

    async def said(self, argv: Sequence[str], fine: Sequence[int], limit_ms: int = ASK_MS) -> Said:
        """Run a command that changes nothing, and ends with one of these. Raises Refused."""
        said = await self.look.hosts.ask(self.cluster, self.host, argv, limit_ms)
        if isinstance(said, Fault):
            raise Refused(said.message)
        if said.status not in fine:
            raise self._failed(argv, said)
        return said

    async def names(self, folder: str) -> tuple[str, ...]:
        """List what lies in a folder, sorted; nothing where there is none. Raises Refused."""
        argv = ("ls", "-A", "--", folder)
        said = await self.said(argv, (0, 2))
        if said.status and not said.absent:
            raise self._failed(argv, said)
        return tuple(sorted(said.out.split("\n")[:-1]))

    def _failed(self, argv: Sequence[str], said: Said) -> Refused:
        return Refused(
            f"`{shlex.join(argv)}` on {self.host.name} ended with status {said.status}: "
            f"{said.err.strip()[:300]}"
        )

    async def minor(self, argv: Sequence[str] | None, fine: Sequence[int]) -> str | None:
        """Ask a program for its minor, e.g. `3.4`; None where nothing tells it. Raises Refused."""
        if argv is None:
            return None
        said = await self.said(argv, fine)
        found = _VERSION.search(said.out)
        return f"{found[1]}.{found[2]}" if found and said.status == 0 else None

    async def holds(self, *argv: str) -> bool:
        """Ask a question whose answer is status 0, or any other. Raises Refused."""
        said = await self.look.hosts.ask(self.cluster, self.host, argv)
        if isinstance(said, Fault):
            raise Refused(said.message)
        return said.status == 0

    async def file(self, path: str) -> FileSeen | None:
        """Read a file; None where there is none. Raises Refused."""
        found = await self.look.hosts.read(self.cluster, self.host, path)
        if isinstance(found, Fault):
            raise Refused(found.message)
        return found
