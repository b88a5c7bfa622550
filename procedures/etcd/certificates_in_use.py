"""Which certificates etcd is told to use on a host: those in its settings, or the platform's."""

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.etcd.drift import hosts_of
from procedures.model.certificate import CLIENT, SERVER
from procedures.model.inventory import Host
from procedures.model.platform import Layout, Pair

CLIENT_PORT, PEER_PORT = "client port", "peer port"


@dataclass(frozen=True, slots=True)
class InUse:
    """A certificate with its key, and the CA that it has to be of.

    `hosts` are names or addresses at which others come to it; `port` is where it is shown, None
    for one that only a client shows.
    """

    what: str
    pair: Pair
    ca: str
    hosts: tuple[str, ...]
    purposes: frozenset[str]
    port: str | None = None


def in_use(how: Layout, hostname: str, host: Host, values: Mapping[str, str]) -> tuple[InUse, ...]:
    """Name them; `values` are etcd's settings, as far as they are known."""
    usual = how.certificates(hostname)

    def at(name: str, otherwise: str) -> str:
        value = values.get(name, "")
        return value.rstrip("/") or otherwise if value.startswith("/") else otherwise

    def pair(prefix: str, otherwise: Pair) -> Pair:
        cert, key = at(f"{prefix}CERT_FILE", otherwise.cert), at(f"{prefix}KEY_FILE", otherwise.key)
        return Pair(cert, key)

    def hosts(name: str) -> tuple[str, ...]:
        return hosts_of(values.get(name, "")) or (host.address,)

    server = InUse(
        "server certificate",
        pair("ETCD_", usual.server),
        at("ETCD_TRUSTED_CA_FILE", usual.ca),
        hosts("ETCD_ADVERTISE_CLIENT_URLS"),
        frozenset({SERVER}),
        CLIENT_PORT,
    )
    peer = InUse(
        "peer certificate",
        pair("ETCD_PEER_", usual.peer),
        at("ETCD_PEER_TRUSTED_CA_FILE", usual.ca),
        hosts("ETCD_INITIAL_ADVERTISE_PEER_URLS"),
        frozenset({SERVER, CLIENT}),
        PEER_PORT,
    )
    if usual.admin is None:
        return server, peer
    tools = Pair(at("ETCDCTL_CERT", usual.admin.cert), at("ETCDCTL_KEY", usual.admin.key))
    ca = at("ETCDCTL_CACERT", usual.ca)
    return server, peer, InUse("admin certificate", tools, ca, (), frozenset({CLIENT}))
