"""Who the voters are for those that keep a list of etcd's client URLs. (catalogue P46, P56)"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from procedures.etcd.expected import fits
from procedures.etcd.hosts import Hosts
from procedures.etcd.leaving import home_of
from procedures.etcd.observe import listed
from procedures.model.client_urls import Asked
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.inventory import Host
from procedures.model.probe import ListedMember
from procedures.model.procedure import Runbook

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def voters(hosts: Hosts, without: ListedMember | None = None) -> tuple[Asked, ...]:
    """Those of the member list that vote and have started, each where it says that clients go."""
    rows = [row for _, row in listed(hosts.view) if row.started and not row.learner]
    return tuple(
        asked(hosts, row.name, url, home_of(row, hosts), (*row.client_urls, *row.peer_urls))
        for row in rows
        if (without is None or row.id != without.id)
        and (url := next((each for each in row.client_urls if fits(hosts.cluster, each)), None))
    )


def told_voters(hosts: Hosts, run: Runbook) -> tuple[Asked, ...]:
    """The present voters, which people are told. Raises Refused where there is no quorum. (R14)"""
    if not hosts.view.quorum_proven:
        message = f"{hosts.cluster.name} has no quorum, so nobody can tell who votes (R14)."
        raise Refused(message)
    present = voters(hosts)
    run.fact(f"Voters: {', '.join(f'{each.name} at {each.url}' for each in present)}.")
    return present


def asked(hosts: Hosts, name: str, url: str, home: Host | None, urls: Iterable[str] = ()) -> Asked:
    """One voter, with all that it is called: by itself, by the inventory, by its machine."""
    names = {name, *(urlsplit(each).hostname or "" for each in (url, *urls))}
    if home is not None:
        machine = hosts.machines.get(home.name)
        names |= {home.name, home.address}
        names |= {machine.hostname} if isinstance(machine, Machine) else set()
    return Asked(name, url, frozenset(each.lower() for each in names - {""}) - _LOOPBACK)
