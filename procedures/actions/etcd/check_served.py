"""Making sure that a member shows its new certificates. (catalogue P66, N11; rule R17)"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.etcd.target import same
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.etcd.certificates_in_use import CLIENT_PORT
from procedures.etcd.observe import observe
from procedures.model.errors import Permanent
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.probe import Fault
from procedures.model.signing import NewPair

SERVED_WITHIN_S = 20
_POLL_MS = 1_000


@dataclass(frozen=True, slots=True)
class CheckServed:
    """Look at what a member's ports show, each on a new connection.

    It changes nothing, so that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "etcd.check-served/1"

    cluster: ClusterName
    member: Identity
    pairs: tuple[NewPair, ...]
    new: tuple[str, ...]

    @property
    def command(self) -> str:
        """What is looked at."""
        ports = " and ".join(each for pair in self.pairs for each in pair.ports)
        return f"{self.member.name}: TLS handshake with {ports}, SHA-256 of what is shown"

    @property
    def waits(self) -> str | None:
        """Until it is shown."""
        return f"until the new certificates are shown, at most {SERVED_WITHIN_S} s"

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Look. Raises Permanent where something else is shown."""
        wanted = by_port(self.pairs, self.new)
        if missing := await not_served(world, work, self.cluster, self.member, wanted):
            message = f"{self.member.name} does not show its new certificates: {missing}"
            raise Permanent(message)
        await work.say(f"{self.member.name} shows its new certificates")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply looked at again."""
        return NotHappened()


def by_port(pairs: Sequence[NewPair], new: Sequence[str]) -> dict[str, str]:
    """Which certificate, by its SHA-256, each port is to show."""
    return {port: sha256 for pair, sha256 in zip(pairs, new, strict=True) for port in pair.ports}


async def not_served(
    world: World, work: Work, cluster: ClusterName, member: Identity, wanted: Mapping[str, str]
) -> str | None:
    """Wait until each port shows what is wanted; else say what the last look has found."""
    missing: str | None = None
    for _ in range(SERVED_WITHIN_S * 1_000 // _POLL_MS):
        missing = await _missing(world, cluster, member, wanted)
        if missing is None:
            return None
        await work.rest(_POLL_MS)
    return missing


async def _missing(
    world: World, name: ClusterName, member: Identity, wanted: Mapping[str, str]
) -> str | None:
    cluster = world.inventory.clusters[name]
    seen = same(await observe(cluster, world), member)
    if seen is None or seen.probe is None:
        return "nobody knows where to reach it."
    endpoint = seen.probe.endpoint
    shown = (await world.etcd.certificates(cluster, {endpoint: member.peer_urls[0]}))[endpoint]
    for port, sha256 in wanted.items():
        found = shown.client_port if port == CLIENT_PORT else shown.peer_port
        if isinstance(found, Fault):
            return found.message
        if found.sha256 != sha256:
            return f"its {port} shows another one, of SHA-256 {found.sha256}."
    return None
