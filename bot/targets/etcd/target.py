"""One address to ask: where it is, how to speak to it, and what to call it."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.tls import Identity
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault, FaultKind

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """A client or peer URL, taken apart. `who` names it at the beginning of a sentence."""

    url: str
    who: str
    host: str
    port: int
    tls: bool
    identity: Identity | None = None

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def certificate_name(self) -> str:
        """The name that the server's certificate has to carry."""
        override = self.identity.files.server_name if self.identity else None
        return override or self.host


def locate(url: str, who: str) -> Target:
    """Take a URL apart; raise `FaultError` where it is not one of a server."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _PORTS:
        raise FaultError(FaultKind.DNS, f"{who} cannot be asked: that is not an http(s) address.")
    return Target(url, who, host, port or _PORTS[parts.scheme], parts.scheme == "https")


def aim(url: str, who: str, identity: Identity | Fault | None) -> Target:
    """Make a target that is asked with an identity, if it takes one; raise `FaultError`."""
    target = locate(url, who)
    if not target.tls:
        return target
    if isinstance(identity, Fault):
        raise FaultError.of(identity)
    if identity is None:
        message = f"{who} speaks TLS, and no TLS files are configured for the cluster."
        raise FaultError(FaultKind.FILES, message)
    return replace(target, identity=identity)


def label(cluster: Cluster, url: str) -> str:
    """Name whoever answers at a URL, to begin a sentence."""
    for member, endpoint in cluster.endpoints.items():
        if endpoint == url:
            return named(url, member)
    return named(url, None)


def named(url: str, member: MemberName | None) -> str:
    """Name the member at a URL, to begin a sentence."""
    return f"{member} at {url}" if member else f"The member at {url}"
