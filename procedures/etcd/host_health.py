"""What the hosts of a cluster add to its health: service, files, disk, clock. (catalogue P07)

Each host is asked on its own and within one time. Nothing here changes the verdict: a host that
cannot be reached says nothing about the member that lives there.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.certificates_in_use import in_use
from procedures.etcd.drift import drift
from procedures.etcd.forcing import ordered, ordered_by_unit, ordered_by_values, wrong
from procedures.etcd.service_state import State, read_state, state_figure
from procedures.etcd.view import View
from procedures.host.asking import OnHost, each_host
from procedures.host.certificate_files import (
    Found,
    Wanted,
    certificate_figures,
    read_certificates,
)
from procedures.host.clock import (
    Reading,
    TimeService,
    clock_figures,
    pairs,
    read_clock,
    read_service,
    service_figure,
)
from procedures.host.disk import Room, read_room, read_size, room_figures, size_figure
from procedures.host.entropy import Entropy, entropy_figure, read_entropy
from procedures.host.settings import Settings, read_settings
from procedures.model.certificate import CLIENT
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.inventory import Cluster
from procedures.model.platform import Layout, layout
from procedures.model.probe import Fault
from procedures.model.report import ClockPair, Figure, Level

_BOTH_ENDS = ("SSL client", "SSL server")


@dataclass(frozen=True, slots=True)
class Etcd:
    """What is there of etcd."""

    how: Layout
    state: State | Fault
    settings: Settings
    size: int | Fault
    rooms: tuple[Room, ...] | Fault
    certificates: Mapping[Wanted, Found | Fault | str]
    ordered: str | Fault | None


@dataclass(frozen=True, slots=True)
class HostSeen:
    """What a host told. `etcd` is a sentence where etcd is not looked at on hosts."""

    clock: Reading | Fault
    service: TimeService | Fault
    entropy: Entropy | Fault
    etcd: Etcd | str


async def look_at_hosts(cluster: Cluster, look: Look) -> Mapping[str, HostSeen | Fault]:
    """Ask all hosts at once; a Fault for one that nobody reached. Nobody, where no way is known."""
    return await each_host(cluster, look, _look_at) if cluster.hosts and cluster.ssh else {}


def host_figures(
    view: View, seen: Mapping[str, HostSeen | Fault], now_s: int
) -> tuple[Figure, ...]:
    """Figures of hosts: the clocks together, then one host after another."""
    answered = {name: each for name, each in seen.items() if isinstance(each, HostSeen)}
    figures = clock_figures({name: each.clock for name, each in answered.items()})
    for name, each in seen.items():
        if isinstance(each, Fault):
            figures.append(Figure("host", Level.UNKNOWN, each.message, member=name, counts=False))
            continue
        figures.append(service_figure(name, each.service))
        figures.append(entropy_figure(name, each.entropy))
        figures += _etcd_figures(view, name, each.etcd, now_s)
    return tuple(figures)


def clock_pairs(seen: Mapping[str, HostSeen | Fault]) -> tuple[ClockPair, ...]:
    """Compare the clocks of those that answered."""
    return pairs({name: each.clock for name, each in seen.items() if isinstance(each, HostSeen)})


async def _look_at(on: OnHost) -> HostSeen | Fault:
    machine = await on.machine()
    if isinstance(machine, Fault):
        return machine
    clock = await read_clock(on)  # alone, and on a way that is open by now
    service, entropy, etcd = await asyncio.gather(
        read_service(on), read_entropy(on), _look_at_etcd(on, machine)
    )
    return HostSeen(clock, service, entropy, etcd)


async def _look_at_etcd(on: OnHost, machine: Machine) -> Etcd | str:
    try:
        how = layout(on.cluster.platform)
    except Refused:
        return f"on {on.cluster.platform}, etcd is run by an operator"
    # Of a unit alone: what else could give the order is among the settings that are read anyway.
    looked = (ordered_by_unit if how.unit else ordered)(on.look, on.cluster, on.host)
    state, settings, order = await asyncio.gather(
        read_state(on, how),
        read_settings(on, how),
        on.in_time("how etcd is started", looked),
    )
    if order is None and (by := ordered_by_values(settings.known)):
        order = f"{how.config} on {on.host.name} has {by}"
    size, rooms, certificates = await asyncio.gather(
        read_size(on, settings.data),
        read_room(on, *settings.folders),
        read_certificates(on, _wanted(on, how, machine, settings)),
    )
    return Etcd(how, state, settings, size, rooms, certificates, order)


def _wanted(on: OnHost, how: Layout, machine: Machine, settings: Settings) -> Sequence[Wanted]:
    """The files that etcd shows, and the CAs that it trusts."""
    if on.cluster.tls is None:
        return ()
    wanted: list[Wanted] = []
    for use in in_use(how, machine.hostname, on.host, settings.known):
        if use.port is not None:
            purposes = _BOTH_ENDS if CLIENT in use.purposes else _BOTH_ENDS[1:]
            wanted.append(Wanted(use.what, use.pair.cert, use.ca, use.hosts[0], purposes))
            wanted.append(Wanted("CA", use.ca))
    return tuple(dict.fromkeys(wanted))


def _etcd_figures(view: View, host: str, etcd: Etcd | str, now_s: int) -> list[Figure]:
    if isinstance(etcd, str):
        return [Figure("service", Level.UNKNOWN, etcd, member=host, counts=False)]
    listing = [seen.listed for seen in view.seen if seen.listed]
    member = any(row.name == host for row in listing) if view.listed else None
    figures = [state_figure(host, etcd.state, member=member)]
    values = etcd.settings.values
    if member is False and values is None:
        return figures  # a spare, with nothing of etcd's on it
    if isinstance(values, Fault):
        figures.append(Figure("config", Level.UNKNOWN, values.message, host, counts=False))
    elif values is None:
        text = f"{etcd.how.config} is not there"
        figures.append(Figure("config", Level.WARN, text, member=host, counts=False))
    elif not view.listed:
        text = "no member gave a list to compare with"
        figures.append(Figure("config", Level.UNKNOWN, text, member=host, counts=False))
    else:
        figures += drift(host, etcd.how.config, values, listing)
    if isinstance(etcd.ordered, str):
        figures.append(Figure("config", Level.WARN, wrong(etcd.ordered), member=host, counts=False))
    figures += room_figures(host, etcd.rooms)
    figures.append(size_figure(host, etcd.settings.data, etcd.size))
    return figures + certificate_figures(host, etcd.certificates, now_s)
