"""What lies around a cluster and names its members. (catalogue P46, P48, P56, P57, P68)

That is the hosts of the others, Ansible's inventory, masters, Kubernetes, and Flannel.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.ansible import Noted, look_at_ansible, note_members
from procedures.etcd.asked import asked, voters
from procedures.etcd.hosts import Hosts
from procedures.etcd.leaving import Homes, look_at_homes, tell_the_others
from procedures.etcd.newcomer import Newcomer
from procedures.host.flannel import Flannels, look_at_flannel, point_flannel
from procedures.host.kubernetes import Kubernetes, ask_to_point, look_at_kubernetes
from procedures.master.masters import (
    Masters,
    look_at_masters,
    point_masters,
    tell_of_service_catalog,
)
from procedures.model.client_urls import Asked
from procedures.model.ids import MemberName
from procedures.model.member import Identity
from procedures.model.probe import ListedMember
from procedures.model.procedure import Runbook


@dataclass(frozen=True, slots=True)
class Around:
    """What was seen; there need be neither masters nor Flannel, nor Kubernetes or Ansible."""

    homes: Homes
    masters: Masters
    flannels: Flannels
    kubernetes: Kubernetes
    ansible: Noted | None

    @property
    def told(self) -> bool:
        """Tell whether any API server is known, which is told of a change."""
        return bool(self.homes.hosts.cluster.masters) or self.kubernetes.serves


async def look_around(hosts: Hosts, look: Look) -> Around:
    """Look at all of it. What does not answer stands against nothing here."""
    return Around(
        *await asyncio.gather(
            look_at_homes(hosts, look),
            look_at_masters(hosts, look),
            look_at_flannel(hosts, look),
            look_at_kubernetes(hosts, look),
            look_at_ansible(hosts, look),
        )
    )


def joined(around: Around, new: Newcomer) -> tuple[Asked, ...]:
    """Whom clients ask when a new member is there; nobody where it is not said where it is."""
    hosts, host = around.homes.hosts, new.spare.host
    client = hosts.cluster.configured.get(MemberName(host.name)) or new.client_url
    return (asked(hosts, host.name, client, host, (new.peer_url,)),) if client else ()


def tell_all(
    around: Around,
    new: Newcomer,
    run: Runbook,
    without: ListedMember | None = None,
    *,
    ahead: Kubernetes | None = None,
) -> None:
    """Let all know of a new member, and no longer of one that is gone by then.

    `ahead` are those that were told of both before.
    """
    hosts, host = around.homes.hosts, new.spare.host
    stay = [row for row in new.others if without is None or row.id != without.id]
    peers = {row.name: row.peer_urls[0] for row in stay} | {host.name: new.peer_url}
    tell_the_others(hosts.cluster.name, around.homes, stay, peers, run)
    note_members(around.ansible, run, leaves=without, joins=host)
    came = joined(around, new)
    if not came:
        return
    if not around.told:
        run.fact(
            f"API servers and other clients are not told of {came[0].url}: add it to their list of "
            "etcd servers."
        )
        if without is not None:
            tell_to_forget(without, run)
    gone = identity(without) if without else None
    left = replace(around, kubernetes=around.kubernetes.apart_from(ahead or Kubernetes()))
    point_all(left, (*voters(hosts, without), *came), gone, run)


def tell_to_forget(gone: ListedMember, run: Runbook) -> None:
    """Say of whom clients that are not changed here go on asking."""
    if gone.client_urls:
        run.fact(
            f"API servers and other clients go on asking {', '.join(gone.client_urls)}: take that "
            "off their list of etcd servers, before none of that list is a member any more."
        )


def point_all(around: Around, voters: Sequence[Asked], gone: Identity | None, run: Runbook) -> None:
    """Let all who ask etcd ask these voters, where they ask others."""
    hosts = around.homes.hosts
    ask_to_point(hosts.cluster.name, around.kubernetes, voters, run)
    point_masters(hosts.cluster.name, around.masters, voters, run)
    tell_of_service_catalog(around.masters, run)
    point_flannel(hosts, around.masters, around.flannels, voters, run, without=gone)


def tell_ahead(
    around: Around, gone: ListedMember, run: Runbook, came: Sequence[Asked] = ()
) -> Kubernetes:
    """Before a healthy member goes: let those ask others that would have nobody to ask.

    Gives those that were told. `came` is there already, in its place.
    """
    hosts = around.homes.hosts
    stay = (*voters(hosts, without=gone), *came)
    stranded = around.kubernetes.stranded(stay)
    ask_to_point(hosts.cluster.name, stranded, stay, run, "those that stay")
    return stranded
