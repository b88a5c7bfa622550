"""Whether a host may get a member now: all that is needed, in one answer. (catalogue P51)

What is critical stands against `/etcd scale-up`, which judges by the same functions; a warning
does not.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.admission import Admission
from procedures.etcd.backup_age import FRESH_H, newest_h, place
from procedures.etcd.fitness import fitness_of
from procedures.etcd.hosts import Hosts, has_member, member_on, spare_host, with_hosts
from procedures.etcd.newcomer import Newcomer, look_at_newcomer
from procedures.etcd.ports import target
from procedures.etcd.readiness import read_readiness, readiness_figures
from procedures.etcd.scale_up import may_grow, sizes
from procedures.model import quorum
from procedures.model.errors import QuorumbotError, Refused
from procedures.model.ids import ClusterName
from procedures.model.inquiry import Inquiry
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import layout
from procedures.model.procedure import Runbook
from procedures.model.report import Figure, HostsReport, Level


@dataclass(frozen=True, slots=True)
class Args:
    """The host, by its name in the configuration; the only one without a member if none."""

    cluster: ClusterName
    host: str | None = None


async def ask(args: Args, look: Look) -> AsyncIterator[HostsReport]:
    """Look at the cluster, at the host, and at the ways between. Raises Refused, UsageError."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look)
    host = spare_host(hosts, args.host, "after preflight")
    if has_member(host, hosts.view):
        row = member_on(host, hosts.view)
        text = f"it has the member {row.name if row else ''} already: nothing is to be added"
        yield _report(cluster, host, [Figure("host", Level.CRITICAL, text, host.name)])
        return
    # The clocks first: while a host is asked many things, its clock is read less exactly.
    seen = await read_readiness(cluster, host, look)
    backup, fit = await asyncio.gather(_backup(cluster, look), _host(hosts, host, look))
    figures = [_members(hosts, host), *_size(hosts), _versions(hosts), backup]
    yield _report(cluster, host, [*figures, *fit, *readiness_figures(host.name, seen)])


INQUIRY = Inquiry("etcd preflight", Args, ask)


def _members(hosts: Hosts, host: Host) -> Figure:
    try:
        may_grow(hosts, host)
    except Refused as refused:
        return _figure("members", Level.CRITICAL, str(refused))
    count = len(quorum.voters(hosts.view.members))
    return _figure("members", Level.OK, f"{count} of {count} healthy, nothing is unfinished")


def _size(hosts: Hosts) -> list[Figure]:
    """What number it comes to; one that is even helps nobody (R8)."""
    figures, *hints = sizes(hosts.view)
    return [
        _figure("size", Level.OK, figures.removeprefix("Quorum: ").rstrip(".")),
        *(_figure("size", Level.WARN, hint.rstrip(".")) for hint in hints),
    ]


def _versions(hosts: Hosts) -> Figure:
    minors = sorted({".".join(each.version.split(".")[:2]) for _, each in hosts.view.statuses()})
    if not minors:
        return _figure("versions", Level.UNKNOWN, "no member told its version")
    if len(minors) > 1:
        text = f"the members have etcd {' and '.join(minors)}: end that upgrade first (R19)"
        return _figure("versions", Level.CRITICAL, text)
    return _figure("versions", Level.OK, f"all members have etcd {minors[0]}")


async def _backup(cluster: Cluster, look: Look) -> Figure:
    """R12. A scale-up saves a snapshot itself; it needs a place for it."""
    kept = place(cluster, look)
    if kept is None:
        text = "no place for backups is configured: set `backups` in the configuration"
        return _figure("backup", Level.CRITICAL, text)
    try:
        hours = await newest_h(cluster, kept, look)
    except QuorumbotError as error:
        return _figure("backup", Level.UNKNOWN, str(error))
    if hours is None:
        text = "there is none that was taken with quorum; a scale-up saves one first (R12)"
        return _figure("backup", Level.WARN, text)
    if hours >= FRESH_H:
        text = f"the newest is {hours} h old: see why; a scale-up saves one first (R12)"
        return _figure("backup", Level.WARN, text)
    return _figure("backup", Level.OK, f"the newest is {hours} h old")


async def _host(hosts: Hosts, host: Host, look: Look) -> list[Figure]:
    """All that a scale-up would refuse, and what it would ask people for."""
    try:
        new = await look_at_newcomer(hosts, host, look)
    except Refused as refused:
        return [Figure("host", Level.UNKNOWN, str(refused), member=host.name, counts=False)]
    return [*fitness_of(new), _settings(new), *_ports(new)]


def _settings(new: Newcomer) -> Figure:
    """Whether its configuration can be made of another member's."""
    name = new.spare.host.name
    try:
        Admission(new.hosts.cluster.name, new, Runbook()).prepare()
    except Refused as refused:
        return Figure("configuration", Level.CRITICAL, str(refused), member=name, counts=False)
    of = new.template.place.host.name if new.template else ""
    text = f"it can be made from that of {of}"
    return Figure("configuration", Level.OK, text, member=name, counts=False)


def _ports(new: Newcomer) -> list[Figure]:
    figures = []
    for each in new.tried:
        if each.barred:
            text = f"nothing gets through from {each.way.shown} ({each.barred}): open the way"
            figures.append(_figure("ports", Level.WARN, text))
    taken = {target(each.way.address, each.way.port) for each in new.tried if each.taken}
    figures += [
        _figure("ports", Level.CRITICAL, f"something listens at {each} already: end it")
        for each in sorted(taken)
    ]
    figures += [
        _figure("ports", Level.UNKNOWN, f"from {each} nobody could try to connect")
        for each in new.untried
    ]
    if not figures and new.tried:
        count = len(new.tried)
        figures = [_figure("ports", Level.OK, f"{count} of {count} connections get through")]
    return figures


def _report(cluster: Cluster, host: Host, figures: Sequence[Figure]) -> HostsReport:
    levels = [figure.level for figure in figures]
    against, unknown = levels.count(Level.CRITICAL), levels.count(Level.UNKNOWN)
    warned = levels.count(Level.WARN)
    if against:
        verdict = f"{host.name} cannot get a member now, {against} against it"
    elif unknown:
        verdict = f"nothing that was seen stands against a member on {host.name}"
    else:
        verdict = f"{host.name} is ready to get a member"
    counts = [f"{warned} warnings" if warned != 1 else "1 warning"] if warned else []
    counts += [f"{unknown} unknown"] if unknown else []
    headline = f"{cluster.name}: {', '.join([verdict, *counts])}"
    return HostsReport(cluster.name, headline, tuple(figures))


def _figure(name: str, level: Level, text: str) -> Figure:
    return Figure(name, level, text, counts=False)
