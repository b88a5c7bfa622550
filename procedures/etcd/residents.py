"""Whose etcd a machine has, by what configures it there. (rule R7)

Who lives on a host is known by its name and its address, and both may be wrong: two addresses
swapped, one machine under two names, a member that is called otherwise than its host, or a spare
that serves another cluster by now. What etcd itself was told is the second witness.
"""

from collections import Counter
from urllib.parse import urlsplit

from procedures.engine.ports import Look
from procedures.etcd.data_place import values_of
from procedures.etcd.observe import listed
from procedures.etcd.view import View
from procedures.model.errors import Refused, Retryable
from procedures.model.host import FileSeen
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host, Inventory
from procedures.model.member import Identity
from procedures.model.platform import layout
from procedures.model.probe import Fault, ListedMember

_ITS_OWN = ("ETCD_INITIAL_ADVERTISE_PEER_URLS", "ETCD_ADVERTISE_CLIENT_URLS")
_PEERS = "ETCD_INITIAL_CLUSTER"
_ANYWHERE = frozenset({"", "localhost", "::1", "0.0.0.0", "::"})


def residents(config: FileSeen | None, view: View) -> tuple[ListedMember, ...]:
    """The members that are listed where the etcd of a host says that it is; one, if all is well.

    A URL that several members share, such as that of a balancer for clients, tells of none.
    """
    told = {url for key in _ITS_OWN for url in _urls(values_of(config).get(key, ""))}
    rows = {row: {_plain(url) for url in (*row.peer_urls, *row.client_urls)} for row in _rows(view)}
    often = Counter(url for urls in rows.values() for url in urls)
    return tuple(row for row, urls in rows.items() if any(often[url] == 1 for url in told & urls))


def _rows(view: View) -> tuple[ListedMember, ...]:
    return tuple(row for _, row in listed(view))


def other_cluster(
    config: FileSeen | None, cluster: Cluster, inventory: Inventory
) -> ClusterName | None:
    """The other cluster whose members the etcd of a host was told as its peers."""
    values = values_of(config)
    peers = [pair.partition("=")[2] for pair in values.get(_PEERS, "").split(",")]
    near = {_at(url) for key in _ITS_OWN for url in values.get(key, "").split(",")}
    near = (near | {_at(url) for url in peers}) - {None}
    ours = _places(cluster)
    if near & ours:
        return None
    others = (each for each in inventory.clusters.values() if each.name != cluster.name)
    return next((each.name for each in others if near & _places(each)), None)


def shown(row: ListedMember) -> str:
    """A member, for people."""
    return f"{row.name} ({row.id})" if row.name else row.id


async def require_nobodys(look: Look, cluster: Cluster, host: Host, view: View) -> None:
    """Make sure that the etcd on a host is no member's. Raises Refused, and Retryable."""
    path = layout(cluster.platform).config
    config = await look.hosts.read(cluster, host, path)
    if isinstance(config, Fault):
        raise Retryable(config.message)
    forbid_residents(look.inventory, cluster, host, config, view)


def forbid_residents(
    inventory: Inventory, cluster: Cluster, host: Host, config: FileSeen | None, view: View
) -> None:
    """Raises Refused where the etcd on a host is a member's, of this cluster or of another."""
    path = layout(cluster.platform).config
    if rows := residents(config, view):
        message = (
            f"etcd on {host.name} is configured as the member {shown(rows[0])} ({path}), so it "
            f"stays on. Look whether {host.address} is the address of {host.name}; where only the "
            "file is a copy of that member's, take it away first."
        )
        raise Refused(message)
    if other := other_cluster(config, cluster, inventory):
        message = (
            f"etcd on {host.name} is configured for the cluster {other} ({path}), so it stays on. "
            f"Ask for that cluster instead, or take {host.name} off the hosts of {cluster.name}."
        )
        raise Refused(message)


def forbid_another(host: Host, config: FileSeen | None, view: View, member: Identity) -> None:
    """Raises Refused where the etcd on a member's host is configured as another member."""
    found = residents(config, view)
    if found and all(row.id != member.id for row in found):
        message = (
            f"etcd on {host.name} is configured as the member {shown(found[0])}, and "
            f"{member.shown} is meant (R7). Look whether {host.address} is the address of "
            f"{host.name}."
        )
        raise Refused(message)


def _places(cluster: Cluster) -> set[str | None]:
    """Where the members of a cluster are that are expected."""
    hosts = {host.address for host in cluster.hosts if host.name in cluster.endpoints}
    return ({_at(url) for url in cluster.endpoints.values()} | hosts) - {None}


def _urls(text: str) -> set[str]:
    return {_plain(url) for url in text.split(",") if _at(url)}


def _plain(url: str) -> str:
    return url.strip().rstrip("/").lower()


def _at(url: str) -> str | None:
    """The host of a URL; None where it is the same on each machine."""
    try:
        name = urlsplit(url.strip()).hostname or ""
    except ValueError:
        return None
    return None if name in _ANYWHERE or name.startswith("127.") else name
