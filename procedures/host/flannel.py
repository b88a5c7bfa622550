"""Let Flannel ask the voters that etcd has now, one host after another. (catalogue P46; X15)"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy
from procedures.actions.host.check_api import CheckApi
from procedures.actions.host.files import rewritten
from procedures.actions.host.restart_flannel import SUBNET, UNIT, RestartFlannel, subnet_of
from procedures.engine.ports import Look
from procedures.etcd.asked import told_voters
from procedures.etcd.asking import Asking
from procedures.etcd.hosts import Hosts, member_on, with_hosts
from procedures.etcd.observe import not_well
from procedures.master.masters import Masters, look_at_masters
from procedures.model import envfile
from procedures.model.client_urls import Asked, owner_of, renewed
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.member import Identity
from procedures.model.paths import within, writable
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook

CONFIG = "/etc/sysconfig/flanneld"
_ENDPOINTS = "FLANNEL_ETCD_ENDPOINTS"


@dataclass(frozen=True, slots=True)
class Args:
    """Of which cluster."""

    cluster: ClusterName


@dataclass(frozen=True, slots=True)
class Flannel:
    """Flannel on a host: its settings, whether it runs, its subnet, and what restarts with it."""

    host: Host
    machine: Machine
    config: FileSeen
    runs: bool
    subnet: str | None
    with_it: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flannels:
    """The hosts that use it; `silent` says of which nobody can tell."""

    seen: tuple[Flannel, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster with its hosts, and Flannel on them."""

    hosts: Hosts
    masters: Masters
    flannels: Flannels


async def look(args: Args, look: Look) -> Scene:
    """See who votes, and where Flannel is used."""
    hosts = await with_hosts(args.cluster, look)
    return Scene(
        hosts,
        *await asyncio.gather(look_at_masters(hosts, look), look_at_flannel(hosts, look)),
    )


async def look_at_flannel(hosts: Hosts, look: Look) -> Flannels:
    """Look on all hosts, where the platform may have it. A silent one stands against nothing."""
    cluster = hosts.cluster
    if not within(CONFIG, writable(cluster.platform)):
        return Flannels()
    found = await asyncio.gather(*(_one(cluster, host, hosts, look) for host in cluster.hosts))
    return Flannels(
        tuple(each for each in found if isinstance(each, Flannel)),
        tuple(each for each in found if isinstance(each, str)),
    )


async def _one(cluster: Cluster, host: Host, hosts: Hosts, look: Look) -> Flannel | str | None:
    machine = hosts.machines.get(host.name)
    if not isinstance(machine, Machine):
        return host.name
    asking = Asking(look, cluster, host)
    try:
        config = await asking.file(CONFIG)
        if config is None:
            return None
        runs = await asking.holds("systemctl", "is-active", "--quiet", UNIT)
        subnet = await asking.file(SUBNET)
        asked = ("systemctl", "show", "--property=RequiredBy", UNIT)
        with_it = (await asking.said(asked, (0,))).out.partition("=")[2].split()
    except Refused:
        return host.name
    return Flannel(host, machine, config, runs, subnet_of(subnet), tuple(sorted(with_it)))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Write the list and restart Flannel; the next host only when all is well."""
    run.title = f"Let Flannel on the hosts of {args.cluster} ask the present voters"
    asked = told_voters(scene.hosts, run)
    if not point_flannel(scene.hosts, scene.masters, scene.flannels, asked, run):
        why = " ".join(run.facts[1:]) or "Where Flannel is used, it asks the voters already."
        message = f"There is nothing to do. {why}"
        raise Refused(message)


def point_flannel(
    hosts: Hosts,
    masters: Masters,
    flannels: Flannels,
    voters: Sequence[Asked],
    run: Runbook,
    *,
    without: Identity | None = None,
) -> bool:
    """Write the voters' URLs where they are not, and restart Flannel there, host by host.

    Tells whether there is anything to do. `without` is a member that is gone by then.
    """
    before = len(run.steps)
    unwell = not_well(hosts.view, apart_from=without.id if without else None)
    for each in flannels.seen:
        if _point(hosts, each, voters, run, unwell):
            _restart(hosts, masters, each, run, without)
    if flannels.silent and flannels.seen:
        run.fact(
            f"Nobody can tell how Flannel is on {', '.join(flannels.silent)}. When they are back, "
            "run /host flannel set-endpoints."
        )
    return len(run.steps) > before


def _point(
    hosts: Hosts, each: Flannel, voters: Sequence[Asked], run: Runbook, unwell: Sequence[str]
) -> bool:
    """Write the voters' URLs; tells whether that is to be done.

    Not where a member would restart with Flannel while others are `unwell` (R10): the list stays as
    it is, so that it is found to be changed later.
    """
    name, cluster = each.host.name, hosts.cluster.name
    text = each.config.content.decode("utf-8", "surrogateescape")
    values: Mapping[str, str] = envfile.read(text)
    if _ENDPOINTS not in values:
        run.fact(f"{CONFIG} on {name} sets no {_ENDPOINTS}, and stays.")
        return False
    urls = [url for url in values[_ENDPOINTS].split(",") if url]
    wanted = renewed(urls, voters)
    if not wanted:
        run.fact(f"No voter says where clients reach it, so {CONFIG} on {name} stays.")
        return False
    if tuple(urls) == wanted:
        return False
    if unwell and each.runs and _restarts_member(hosts, each):
        run.fact(
            f"Flannel on {name} is left as it is: a member would restart with it, and "
            f"{' and '.join(unwell)} {'is' if len(unwell) == 1 else 'are'} not healthy (R10). When "
            "that is over, run /host flannel set-endpoints."
        )
        return False
    for url in urls:
        if owner_of(url, voters) is None:
            run.fact(f"Flannel on {name} asks {url}, which is no voter's URL: it goes.")
    at = At(name, each.machine.machine_id)
    content = envfile.edited(text, {_ENDPOINTS: ",".join(wanted)})
    run.step(
        f"Let Flannel on {name} ask the voters",
        rewritten(cluster, at, CONFIG, each.config, content),
    )
    return True


def _restart(
    hosts: Hosts, masters: Masters, each: Flannel, run: Runbook, without: Identity | None
) -> None:
    """Restart it; what restarts with it serves again before the next host has its turn."""
    name, cluster = each.host.name, hosts.cluster.name
    if not each.runs:
        run.fact(f"Flannel does not run on {name}, so it is not started there.")
        return
    if each.with_it:
        run.fact(f"On {name}, {' and '.join(each.with_it)} restart with {UNIT}.")
    at = At(name, each.machine.machine_id)
    # Before as well: a member that restarts with Flannel may be one too many (R10).
    checked = _restarts_member(hosts, each)
    if checked:
        run.step("Check that all members are healthy", CheckHealthy(cluster, without))
    run.step(f"Restart Flannel on {name}", RestartFlannel(cluster, at, each.subnet))
    if checked:
        run.step("Check that all members are healthy", CheckHealthy(cluster, without))
    master = masters.on(name)
    if each.with_it and master and master.healthz:
        run.step(
            f"Wait until the API server on {name} serves",
            CheckApi(cluster, at, master.healthz),
        )


def _restarts_member(hosts: Hosts, each: Flannel) -> bool:
    return bool(each.with_it) and member_on(each.host, hosts.view) is not None


PROCEDURE = Procedure(
    "host flannel set-endpoints",
    Args,
    look,
    plan,
    risk=Risk.DISRUPTIVE,
    lock="etcd/{cluster}",
)
