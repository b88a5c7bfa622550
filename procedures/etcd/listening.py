"""Whether a member is reached by its peers at a URL. (catalogue P33; rules R17, X19)

Its configuration says where it listens, its certificate for whom it may be taken, and each
connection is tried from the host that will make it.
"""

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from procedures.engine.ports import Look
from procedures.etcd.hosts import Hosts
from procedures.etcd.leaving import Homes, home_of, look_at_homes
from procedures.etcd.observe import listed
from procedures.etcd.peer_urls import is_local
from procedures.etcd.ports import Tried, Way, each_tried
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen, Machine
from procedures.model.inventory import Host, is_address
from procedures.model.platform import layout
from procedures.model.probe import Fault, ListedMember

LISTEN = "ETCD_LISTEN_PEER_URLS"
_ANYWHERE = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class Listening:
    """A member's host, and what became of connections to a URL.

    `other` tells that its certificate is for others. `untried` are members from whose hosts
    nobody could try.
    """

    homes: Homes
    at: At
    config: FileSeen
    tried: tuple[Tried, ...]
    untried: tuple[str, ...]
    other: str | None

    @property
    def ways(self) -> tuple[Way, ...]:
        """The connections."""
        return tuple(each.way for each in self.tried)

    @property
    def text(self) -> str:
        """Its configuration."""
        return self.config.content.decode("utf-8", "surrogateescape")


async def look_at_listening(
    hosts: Hosts, row: ListedMember, url: str, look: Look
) -> Listening | None:
    """Look, and try. None where the configuration names no host of the member.

    Raises Refused where its host, or what configures etcd there, cannot be seen.
    """
    home, cluster = home_of(row, hosts), hosts.cluster
    if home is None:
        return None
    at = hosts.at(home.name)
    homes = await look_at_homes(hosts, look)
    config = homes.configs.get(home.name)
    if config is None:
        message = (
            f"{layout(cluster.platform).config} on {home.name} cannot be read, so nobody can tell "
            "where etcd listens there."
        )
        raise Refused(message)
    ways, unseen = _ways(hosts, home, row, url)
    found, wrong = await asyncio.gather(
        each_tried(look, cluster, ways), _of_others(hosts, home, config, url, look)
    )
    unseen += [
        way.at.host for (_, way), each in zip(ways, found, strict=True) if isinstance(each, Fault)
    ]
    tried = tuple(each for each in found if isinstance(each, Tried))
    return Listening(homes, at, config, tried, tuple(sorted(unseen)), wrong)


def _ways(
    hosts: Hosts, home: Host, row: ListedMember, url: str
) -> tuple[list[tuple[Host, Way]], list[str]]:
    """From its own host and those of its peers; and the peers whose host is not to be asked."""
    rows = [other for _, other in listed(hosts.view) if other.id != row.id]
    of = {other.name or other.id: home_of(other, hosts) for other in rows}
    end, ways, unseen = urlsplit(url), [], []
    for name, host in ((home.name, home), *of.items()):
        machine = hosts.machines.get(host.name) if host else None
        if host is None or not isinstance(machine, Machine):
            unseen.append(name)
            continue
        at = At(host.name, machine.machine_id)
        ways.append((host, Way(at, end.hostname or "", end.port or 0, listens=True)))
    return ways, unseen


def require_listening(seen: Listening, row: ListedMember, url: str, *, alone: bool) -> None:
    """Raises Refused where its peers would not reach the member at the URL, with all reasons."""
    name, host, wrong = row.name or row.id, seen.at.host, []
    path = layout(seen.homes.hosts.cluster.platform).config
    urls = envfile.read(seen.text).get(LISTEN, "")
    if of := _whose(seen, url):
        wrong.append(f"that is {of}")
    if not alone and is_local(url):
        wrong.append(f"no other host reaches {url}")
    if not any(_covers(each.strip(), url) for each in urls.split(",")):
        where = f"{name} listens at {urls}" if urls else "it is not said where it listens"
        wrong.append(f"{where} ({LISTEN} in {path} on {host})")
    if barred := [each for each in seen.tried if each.barred]:
        shown = "; ".join(f"{each.way.shown} ({each.barred})" for each in barred)
        wrong.append(f"nothing gets through from {shown}")
    if seen.other:
        wrong.append(seen.other)
    if wrong:
        message = (
            f"{name} is not to be reached by its peers at {url}: {'; '.join(wrong)}. A peer URL "
            "has to be where etcd listens already: change that first, and restart etcd there."
        )
        raise Refused(message)


def _whose(seen: Listening, url: str) -> str | None:
    """Tell which other host a URL leads to; a wildcard would take it for its own."""
    name, hosts = urlsplit(url).hostname or "", seen.homes.hosts
    for host in hosts.cluster.hosts:
        machine = hosts.machines.get(host.name)
        called = {host.name.lower(), host.address.lower()}
        called |= {machine.hostname.lower()} if isinstance(machine, Machine) else set()
        if host.name != seen.at.host and name in called:
            return host.name
    return None


def _covers(listens: str, url: str) -> bool:
    """Tell whether who listens there is reached at a URL; of a name, connections tell."""
    try:
        here, there = urlsplit(listens), urlsplit(url)
        if (here.scheme, here.port) != (there.scheme, there.port):
            return False
    except ValueError:
        return False
    host = there.hostname or ""
    return here.hostname in {*_ANYWHERE, host} or not is_address(host)


async def _of_others(
    hosts: Hosts, home: Host, config: FileSeen, url: str, look: Look
) -> str | None:
    """Tell where the certificate that it shows its peers is not for the URL (R17)."""
    end = urlsplit(url)
    machine = hosts.machines.get(home.name)
    if end.scheme != "https" or not isinstance(machine, Machine):
        return None
    values = envfile.read(config.content.decode("utf-8", "surrogateescape"))
    usual = layout(hosts.cluster.platform).certificates(machine.hostname).peer.cert
    path, host = values.get("ETCD_PEER_CERT_FILE") or usual, end.hostname or ""
    name = "-checkip" if is_address(host) else "-checkhost"
    argv = ("openssl", "x509", "-noout", "-in", path, name, host)
    said = await look.hosts.ask(hosts.cluster, home, argv)
    mismatch = not isinstance(said, Fault) and "does NOT match" in said.out
    return f"{path} on {home.name} is not for {host} (R17)" if mismatch else None
