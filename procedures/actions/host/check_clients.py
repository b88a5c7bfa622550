"""Looking whether clients of etcd on a host have taken their new certificate. (catalogue P68)"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import JsonValue

from procedures.actions.host.make_keys import public_key
from procedures.actions.host.pieces import reach
from procedures.engine.ports import Finding, Look, NotHappened, Work, World
from procedures.model import certificate
from procedures.model.certificate import Leaf
from procedures.model.errors import Permanent, Retryable
from procedures.model.host import At, FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Pair
from procedures.model.probe import Fault
from procedures.model.signing import NewPair

_API = "kube-apiserver"


@dataclass(frozen=True, slots=True)
class CheckClients:
    """Compare a copy with the new certificate, and the start of an API server with its file's time.

    `cert` is the one of `pairs` that they show; `new` are the SHA-256 sums. It changes nothing, so
    that a duplicate is harmless.
    """

    KIND: ClassVar[str] = "host.check-etcd-clients/1"

    cluster: ClusterName
    at: At
    pairs: tuple[NewPair, ...]
    new: tuple[str, ...]
    cert: str
    copy: Pair | None = None
    api: bool = False

    @property
    def command(self) -> str:
        """What is looked at."""
        looks = [f"read {self.copy.cert}"] if self.copy else []
        if self.api:
            looks += [f"stat --format=%Z {self.cert}", f"ps -C {_API} -o etimes="]
        return f"{self.at.host}: {'; '.join(looks)}"

    @property
    def waits(self) -> str | None:
        """It does not wait."""
        return None

    async def perform(self, world: World, work: Work) -> JsonValue:
        """Look. Raises Permanent with what still has the former one."""
        cluster = world.inventory.clusters[self.cluster]
        host = await reach(world, cluster, self.at)
        wanted = dict(zip((each.cert for each in self.pairs), self.new, strict=True))[self.cert]
        missing = []
        if self.copy and (why := await _other(world, cluster, host, self.copy, wanted)):
            missing.append(why)
        if self.api and (why := await _older(world, cluster, host, self.cert)):
            missing.append(why)
        if missing:
            raise Permanent(" ".join(missing))
        await work.say(f"{host.name}: its clients of etcd have the new certificate")
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It is simply looked at again."""
        return NotHappened()


async def _other(look: Look, cluster: Cluster, host: Host, copy: Pair, wanted: str) -> str | None:
    """Say what is wrong with a copy."""
    found = await look.hosts.read(cluster, host, copy.cert)
    if isinstance(found, Fault):
        raise Retryable(found.message)
    leaf: Leaf | None = certificate.read(found.content) if isinstance(found, FileSeen) else None
    if leaf is None or leaf.sha256 != wanted:
        return f"{copy.cert} on {host.name} is not the new certificate yet."
    if await public_key(look, cluster, host, copy.key) != leaf.key:
        return f"{copy.key} on {host.name} is not the key of {copy.cert}."
    return None


async def _older(look: Look, cluster: Cluster, host: Host, path: str) -> str | None:
    """Say that an API server was started before its file was put there."""
    changed = await _numbers(look, cluster, host, "stat", "--format=%Z", "--", path)
    now = await _numbers(look, cluster, host, "date", "--utc", "+%s%N")
    ages = await _numbers(look, cluster, host, "ps", "-C", _API, "-o", "etimes=")
    if not ages:
        return f"{_API} does not run on {host.name}."
    if not changed or not now:
        return f"Nobody can tell when {path} was put there."
    if now[0] // 1_000_000_000 - max(ages) < changed[0]:
        return f"{_API} on {host.name} was started before {path} was put there."
    return None


async def _numbers(look: Look, cluster: Cluster, host: Host, *argv: str) -> list[int]:
    said = await look.hosts.ask(cluster, host, argv)
    if isinstance(said, Fault):
        raise Retryable(said.message)
    return [int(word) for word in said.out.split() if word.isdecimal()]
