"""Looking at all that a host needs to join a cluster. (catalogue P51, P54, P55, P64, P68)"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.certificates_in_use import in_use
from procedures.etcd.first_certificates import Makings, look_at_makings, make
from procedures.etcd.hosts import Hosts
from procedures.etcd.joining import Place, advertised, told, url_on
from procedures.etcd.leaving import home_of
from procedures.etcd.observe import listed
from procedures.etcd.ports import Tried, Way, each_tried
from procedures.etcd.spare import Spare, look_at_spare
from procedures.model import envfile
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen, Machine
from procedures.model.ids import MemberId
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import SCRIPT, Runner, layout
from procedures.model.probe import Fault, ListedMember
from procedures.model.procedure import Runbook

_LOOPBACK = ("127.", "localhost", "[::1]", "::1")


@dataclass(frozen=True, slots=True)
class Home:
    """A member, and its machine. `config` and `ca` are None where not readable.

    `ca` is the SHA-256 of the file of its CA.
    """

    row: ListedMember
    place: Place
    config: FileSeen | None
    ca: str | None

    @property
    def at(self) -> At:
        """The machine that is meant."""
        return At(self.place.host.name, self.place.machine.machine_id)


@dataclass(frozen=True, slots=True)
class Carried:
    """A file of another host's that runs etcd, and what is in its place on the one that joins."""

    runner: Runner
    source: FileSeen
    there: FileSeen | None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A host that is to get a member, and those that are members when it joins.

    `others` are these members, `homes` their hosts, as far as they can be reached;
    `template` is the one from which its configuration is made. `tried` are the connections that
    etcd will need, in both directions. `makings` are what its certificates are made from where
    those that it has are not fit, or why none can be made.
    """

    hosts: Hosts
    spare: Spare
    others: tuple[ListedMember, ...]
    homes: tuple[Home, ...]
    carried: tuple[Carried, ...]
    tried: tuple[Tried, ...]
    untried: tuple[str, ...]
    makings: Makings | str | None = None

    @property
    def stands_in_for(self) -> MemberId | None:
        """The dead member that is gone when it joins, if any."""
        there = {row.id for row in self.others}
        return next((row.id for _, row in listed(self.hosts.view) if row.id not in there), None)

    @property
    def peer_url(self) -> str:
        """Where its peers will reach it: like the others, at its own address."""
        return url_on(self.others[0].peer_urls[0], self.spare.host.address)

    @property
    def client_url(self) -> str | None:
        """Where clients will reach it: as the configuration that it gets says; None: not said."""
        home = self.template
        if home is None or home.config is None:
            return None
        return advertised(_text(home.config), self.spare.host)

    @property
    def place(self) -> Place:
        """Its host, and who the machine is."""
        return Place(self.spare.host, self.spare.machine)

    @property
    def template(self) -> Home | None:
        """Another member whose configuration can be read."""
        return _template(self.homes)

    @property
    def authorities(self) -> dict[str, str]:
        """The CA of each member's host, as SHA-256."""
        return {home.place.host.name: home.ca for home in self.homes if home.ca is not None}

    def home(self, row: ListedMember) -> Home | None:
        """The host of a member, where it can be reached."""
        return next((each for each in self.homes if each.row.id == row.id), None)


async def look_at_newcomer(
    hosts: Hosts, host: Host, look: Look, without: MemberId | None = None
) -> Newcomer:
    """Look at it, at the hosts of the members apart from one that is dead, and at the ways between.

    Raises Refused where the host itself cannot be seen, and where no other member is left.
    """
    cluster, how = hosts.cluster, layout(hosts.cluster.platform)
    others = tuple(row for _, row in listed(hosts.view) if row.id != without)
    if not others:
        message = f"{cluster.name} has no other member: restore it from a snapshot (R14)."
        raise Refused(message)
    homes = await asyncio.gather(
        *(_home(row, *place, hosts, look) for row in others if (place := _place(hosts, row)))
    )
    like, machine = _template(homes), hosts.machines[host.name]
    settings: dict[str, str] = {}
    if like and like.config and isinstance(machine, Machine):
        settings = told(_text(like.config), like.place, Place(host, machine))
    spare = await look_at_spare(cluster, host, look, settings)
    new = Newcomer(hosts, spare, others, tuple(homes), (), (), ())
    carried: list[Carried] = []
    if new.template:
        for runner in how.runners:
            carried += await _carried(cluster, new.template.place.host, host, runner, look)
    ways = _ways(new)
    found = await each_tried(look, cluster, ways)
    untried = {
        way.at.host for (_, way), each in zip(ways, found, strict=True) if isinstance(each, Fault)
    }
    untried |= {row.name or row.id for row in others if new.home(row) is None}
    return replace(
        new,
        carried=tuple(carried),
        tried=tuple(each for each in found if isinstance(each, Tried)),
        untried=tuple(sorted(untried)),
        makings=await _makings(new, look, settings),
    )


async def _makings(new: Newcomer, look: Look, settings: Mapping[str, str]) -> Makings | str | None:
    """What its certificates are made from, where those that are there will not do."""
    known = new.authorities.values()
    if not new.spare.unfit and (new.spare.ca in known or not known):
        return None
    first = new.template
    homes = sorted(new.homes, key=lambda each: each is not first)
    try:
        makings = await look_at_makings(
            new.hosts, new.place, [each.place for each in homes], look, settings
        )
        make(makings, Runbook())
    except Refused as refused:
        return str(refused)
    return makings


def _template(homes: Sequence[Home]) -> Home | None:
    return next((home for home in homes if home.config is not None), None)


def _text(config: FileSeen) -> str:
    return config.content.decode(errors="replace")


def _place(hosts: Hosts, row: ListedMember) -> tuple[Host, Machine] | None:
    """The host of a member that can be reached."""
    host = home_of(row, hosts)
    machine = hosts.machines.get(host.name) if host else None
    return (host, machine) if host and isinstance(machine, Machine) else None


async def _home(row: ListedMember, host: Host, machine: Machine, hosts: Hosts, look: Look) -> Home:
    how = layout(hosts.cluster.platform)
    config = await look.hosts.read(hosts.cluster, host, how.config)
    values = envfile.read(_text(config)) if isinstance(config, FileSeen) else {}
    _, peer, *_ = in_use(how, machine.hostname, host, values)
    ca = await look.hosts.read(hosts.cluster, host, peer.ca)
    return Home(
        row,
        Place(host, machine),
        config if isinstance(config, FileSeen) else None,
        hashlib.sha256(ca.content).hexdigest() if isinstance(ca, FileSeen) else None,
    )


async def _carried(
    cluster: Cluster, origin: Host, host: Host, runner: Runner, look: Look
) -> list[Carried]:
    """Read a file that runs etcd, where it is one that can be carried. Raises Refused.

    What is a program instead of a script was installed, and is looked at as that.
    """
    source, target = Asking(look, cluster, origin), Asking(look, cluster, host)
    if runner.mode & 0o111:
        first = await source.said(("head", "--bytes=2", runner.path), (0, 1))
        if first.out != SCRIPT:
            return []
    there = await source.file(runner.path)
    return [Carried(runner, there, await target.file(runner.joining))] if there else []


def _ways(new: Newcomer) -> list[tuple[Host, Way]]:
    """Each connection between the host and the members, on the ports of peers and clients."""
    host = new.spare.host
    at = At(host.name, new.spare.machine.machine_id)
    own = _ends((new.peer_url, new.client_url or ""))
    ways = [
        (host, Way(at, *end, listens=True))
        for row in new.others
        if row.started
        for end in _ends((*row.peer_urls[:1], *row.client_urls[:1]))
    ]
    for home in new.homes:
        ways += [(home.place.host, Way(home.at, *end, listens=False)) for end in own]
    return ways


def _ends(urls: Sequence[str]) -> list[tuple[str, int]]:
    """Address and port of URLs that others than the machine itself may use."""
    parts = [urlsplit(url) for url in urls]
    return [
        (each.hostname, each.port)
        for each in parts
        if each.hostname and each.port and not each.hostname.startswith(_LOOPBACK)
    ]
