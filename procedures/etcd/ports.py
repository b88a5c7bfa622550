"""Whether machines reach each other where etcd listens. (catalogue P51, P55, P64)

Each connection is tried from the machine that will make it. Where nothing listens yet, a refusal
is the good answer: it comes from the machine itself, while a firewall that bars the way says
nothing, or that there is no route.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.model.host import At
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Argv
from procedures.model.probe import Fault, FaultKind

WITHIN_S = 3
_OVERDUE, _NOT_FOUND = 124, 127
# Bash's own way to open a connection: it is on every host, other tools are not. Address and port
# are its arguments, so that nothing of them is read as a command.
_CONNECT = 'exec 3<>"/dev/tcp/$0/$1"'


@dataclass(frozen=True, slots=True)
class Way:
    """A connection from a machine to a port. `listens`: an etcd is there already."""

    at: At
    address: str
    port: int
    listens: bool

    @property
    def shown(self) -> str:
        """How people read it."""
        return f"{self.at.host} to {target(self.address, self.port)}"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a connection met: `barred` says why nothing gets there, None where something does.

    `taken`: something listens where nothing should yet.
    """

    way: Way
    barred: str | None = None
    taken: bool = False


def target(address: str, port: int) -> str:
    """An address with its port, as in a URL."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def dialling(address: str, port: int) -> Argv:
    """The command that tries it; it sends nothing."""
    connect = ("bash", "-c", _CONNECT, address, str(port))
    return ("timeout", str(WITHIN_S), "env", "LC_ALL=C", *connect)


async def tried(look: Look, cluster: Cluster, host: Host, way: Way) -> Tried | Fault:
    """Try it. A Fault where its machine cannot tell."""
    said = await look.hosts.ask(cluster, host, dialling(way.address, way.port))
    if isinstance(said, Fault):
        return said
    text = f"{said.err}\n{said.out}".strip()
    if said.status == 0:
        return Tried(way, taken=not way.listens)
    if said.status == _NOT_FOUND:
        message = f"{host.name}: bash or timeout is not installed there"
        return Fault(FaultKind.SERVER, message)
    if said.status == _OVERDUE:
        return Tried(way, f"no answer within {WITHIN_S} s")
    if "refused" in text.lower():
        return Tried(way, "nothing listens there") if way.listens else Tried(way)
    return Tried(way, (text.splitlines() or ["no reason given"])[-1].rpartition(": ")[2])


async def each_tried(
    look: Look, cluster: Cluster, ways: Sequence[tuple[Host, Way]]
) -> tuple[Tried | Fault, ...]:
    """Try them all at once, in their order."""
    return tuple(await asyncio.gather(*(tried(look, cluster, host, way) for host, way in ways)))
