"""Looking at the hosts of a cluster beside its members."""

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from procedures.engine.ports import Look
from procedures.etcd.observe import listed, observe, observed
from procedures.etcd.view import View
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.probe import Fault, ListedMember


@dataclass(frozen=True, slots=True)
class Hosts:
    """A cluster, and who its machines are. By host name."""

    cluster: Cluster
    view: View
    machines: Mapping[str, Machine | Fault]

    def host(self, name: str) -> Host:
        """Find a host by its name. Raises Refused where the inventory has none."""
        for host in self.cluster.hosts:
            if host.name == name:
                return host
        message = (
            f"The configuration names no host for {name}. "
            f"List it in `clusters.{self.cluster.name}.hosts`."
        )
        raise Refused(message)

    def at(self, name: str) -> At:
        """Pin the machine behind a host's name. Raises Refused where it cannot be reached."""
        machine = self.machines.get(self.host(name).name)
        if not isinstance(machine, Machine):
            why = machine.message if machine else "It was not asked."
            message = f"{name} cannot be reached, so nothing can be done there: {why}"
            raise Refused(message)
        return At(name, machine.machine_id)


def member_on(host: Host, view: View) -> ListedMember | None:
    """Find the member that has a host's name, or its address in a peer URL."""
    for seen, row in listed(view):
        addresses = {urlsplit(url).hostname for url in row.peer_urls}
        if host.name in {row.name, seen.name} or host.address in addresses:
            return row
    return None


def spare_host(hosts: Hosts, wanted: str | None, say: str) -> Host:
    """Find the host that is to get a member: the one that is named, or the only one without.

    `say` tells how to name one. Raises UsageError for one that there is not, and Refused.
    """
    names = [host.name for host in hosts.cluster.hosts]
    if wanted is not None:
        if wanted in names:
            return _may_have(hosts.host(wanted))
        near = difflib.get_close_matches(wanted, names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        message = (
            f"There is no host {wanted!r}.{hint} The hosts of {hosts.cluster.name} are "
            f"{', '.join(names)}."
        )
        raise UsageError(message)
    spares = [
        host for host in hosts.cluster.hosts if host.etcd and not has_member(host, hosts.view)
    ]
    if len(spares) == 1:
        return spares[0]
    which = " or ".join(host.name for host in spares)
    message = (
        f"Say {say} which host gets the member: {which}."
        if spares
        else f"No host of {hosts.cluster.name} is without a member. Add one to the configuration."
    )
    raise Refused(message)


def _may_have(host: Host) -> Host:
    if host.etcd:
        return host
    message = f"{host.name} never gets a member: the configuration says `etcd: false`."
    raise Refused(message)


def has_member(host: Host, view: View) -> bool:
    """Tell whether a member has ever started on a host."""
    row = member_on(host, view)
    return row is not None and row.started


def reached(cluster: Cluster) -> bool:
    """Tell whether etcd is changed on hosts of this cluster, and the configuration says how."""
    return bool(cluster.hosts and cluster.ssh) and cluster.platform is not Platform.OCP4


async def with_hosts(
    name: ClusterName, look: Look, only: Sequence[str] = (), *, unlisted: bool = False
) -> Hosts:
    """Look at a cluster and at its hosts; all of them, or `only` these. Raises Refused.

    Where it may be `unlisted`, that nobody gives a member list is no reason to.
    """
    cluster = look.inventory.clusters[name]
    if not cluster.hosts:
        message = (
            f"The configuration names no hosts of {name}. List them in `clusters.{name}.hosts`, "
            f"and say in `clusters.{name}.ssh` how they are reached."
        )
        raise Refused(message)
    wanted = [host for host in cluster.hosts if not only or host.name in only]
    view, machines = await asyncio.gather(
        observe(cluster, look) if unlisted else observed(name, look),
        asyncio.gather(*(look.hosts.machine(cluster, host) for host in wanted)),
    )
    return Hosts(
        cluster, view, {host.name: each for host, each in zip(wanted, machines, strict=True)}
    )
