"""Asking a host several things, all within one time."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from procedures.engine.ports import Look
from procedures.model.errors import Refused
from procedures.model.host import FileSeen, Machine, Said
from procedures.model.inventory import Cluster, Host
from procedures.model.probe import Fault, FaultKind

LIMIT_MS = 5_000
"""So long a host may take for all that it is asked: as long as two samples of etcd are apart."""

T = TypeVar("T")
_ERROR_CHARS = 200


@dataclass(frozen=True, slots=True)
class OnHost:
    """A host that is asked. What is not answered by `until` (of the event loop) is a Fault."""

    look: Look
    cluster: Cluster
    host: Host
    until: float

    async def machine(self) -> Machine | Fault:
        """Tell who it is."""
        return await self.in_time("who it is", self.look.hosts.machine(self.cluster, self.host))

    async def said(self, *argv: str, fine: Sequence[int] = (0,)) -> Said | Fault:
        """Run a command that only looks; an exit status that is not `fine` is a Fault."""
        said = await self.in_time(
            f"`{argv[0]}`", self.look.hosts.ask(self.cluster, self.host, argv, LIMIT_MS)
        )
        if isinstance(said, Fault) or said.status in fine:
            return said
        why = (said.err.strip() or said.out.strip())[:_ERROR_CHARS]
        return self.fault(f"`{shlex.join(argv)}` ended with status {said.status}: {why}")

    async def read(self, path: str) -> FileSeen | Fault | None:
        """Read a file; None where there is none."""
        return await self.in_time(path, self.look.hosts.read(self.cluster, self.host, path))

    def fault(self, message: str) -> Fault:
        """Say that something of this host is not known."""
        return Fault(FaultKind.SERVER, f"{self.host.name}: {message}")

    async def in_time(self, what: str, answer: Awaitable[T]) -> T | Fault:
        """Wait for an answer as long as there is time for this host."""
        try:
            async with asyncio.timeout_at(self.until):
                return await answer
        except TimeoutError:
            message = f"{self.host.name} did not answer {what} within {LIMIT_MS / 1_000:g} s"
            return Fault(FaultKind.SILENT, message)


async def each_host(
    cluster: Cluster, look: Look, ask: Callable[[OnHost], Awaitable[T]]
) -> Mapping[str, T]:
    """Ask all hosts of a cluster at once. By name of the host, in the configuration's order.

    Raises Refused where the configuration names none.
    """
    require_hosts(cluster)
    until = asyncio.get_running_loop().time() + LIMIT_MS / 1_000
    answers = await asyncio.gather(
        *(ask(OnHost(look, cluster, host, until)) for host in cluster.hosts)
    )
    return {host.name: each for host, each in zip(cluster.hosts, answers, strict=True)}


def require_hosts(cluster: Cluster) -> None:
    """Make sure that there is somebody to ask. Raises Refused."""
    if not cluster.hosts:
        message = (
            f"The configuration names no hosts of {cluster.name}. "
            f"List them in `clusters.{cluster.name}.hosts`."
        )
        raise Refused(message)
