"""Looking at masters, and pointing them at the voters of etcd. (P47, P56, P57; X6, X7, X15)"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from procedures.actions.host.edit_file import edited
from procedures.actions.host.restart_master import NoteParts, RestartPart
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.hosts import Hosts
from procedures.model import master, yaml_list
from procedures.model.client_urls import Asked, owner_of, renewed
from procedures.model.edits import ETCD_URLS
from procedures.model.errors import Refused
from procedures.model.host import At, FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.master import Healthz, Part
from procedures.model.plan import Undo
from procedures.model.probe import Fault
from procedures.model.procedure import Runbook


@dataclass(frozen=True, slots=True)
class Master:
    """A master that answers: its configuration, and by which unit each part of it runs.

    The unit is None for a static pod; a part that does not run is not among `parts`.
    """

    host: Host
    machine: Machine
    config: FileSeen | None
    parts: Mapping[Part, str | None]

    @property
    def at(self) -> At:
        """The machine that is meant."""
        return At(self.host.name, self.machine.machine_id)

    @property
    def healthz(self) -> Healthz | None:
        """Where its API server says how it is; None where it runs none, or nobody can tell."""
        if self.config is None or Part.API not in self.parts:
            return None
        try:
            return master.healthz(self.config.content.decode(), self.machine.hostname)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Masters:
    """All that the configuration names; `silent` says why others could not be looked at."""

    seen: tuple[Master, ...] = ()
    silent: Mapping[str, str] | None = None

    def on(self, host: str) -> Master | None:
        """The one on a host; None where that is no master, or was not seen."""
        return next((each for each in self.seen if each.host.name == host), None)


def require_masters(name: ClusterName, look: Look) -> None:
    """Raises Refused where no master is configured."""
    if not look.inventory.clusters[name].masters:
        message = (
            f"The configuration names no masters of {name}. List them in "
            f"`clusters.{name}.masters`: those of its hosts that run the API server."
        )
        raise Refused(message)


async def look_at_masters(hosts: Hosts, look: Look) -> Masters:
    """Look at each. A master that does not answer stands against nothing here."""
    cluster, silent, seen = hosts.cluster, {}, []
    chosen = [host for host in cluster.hosts if host.name in cluster.masters]
    found = await asyncio.gather(*(_one(cluster, host, hosts, look) for host in chosen))
    for host, each in zip(chosen, found, strict=True):
        if isinstance(each, Master):
            seen.append(each)
        else:
            silent[host.name] = each
    return Masters(tuple(seen), silent)


async def _one(cluster: Cluster, host: Host, hosts: Hosts, look: Look) -> Master | str:
    machine = hosts.machines.get(host.name)
    if not isinstance(machine, Machine):
        return machine.message if isinstance(machine, Fault) else "It was not asked."
    asking = Asking(look, cluster, host)
    try:
        config = await asking.file(master.CONFIG)
        parts = {part: unit for part in Part for unit in await _runs(asking, part)}
    except Refused as error:
        return str(error)
    return Master(host, machine, config, parts)


async def _runs(asking: Asking, part: Part) -> list[str | None]:
    """By what a part is run; empty where it is not."""
    if (await asking.said(master.process(part), (0, 1))).status:
        return []
    if await asking.holds("test", "-e", master.MANIFESTS[part]):
        return [None]
    for unit in master.UNITS[part]:
        if await asking.holds("systemctl", "is-active", "--quiet", unit):
            return [unit]
    return []


def point_masters(
    cluster: ClusterName, masters: Masters, voters: Sequence[Asked], run: Runbook
) -> bool:
    """Write the voters' URLs where they are not, and restart what reads them, master by master.

    What cannot be done is said. Tells whether there is anything to do.
    """
    before = len(run.steps)
    for name, why in (masters.silent or {}).items():
        run.fact(
            f"{name} cannot be looked at, and asks whom it asked before: {why} "
            "When it is back, run /master set-etcd-urls."
        )
    for each in masters.seen:
        _point(cluster, each, voters, run)
    return len(run.steps) > before


def tell_of_service_catalog(masters: Masters, run: Runbook) -> None:
    """Say who has the list besides: it is an object of the cluster's, and no file of a master's."""
    if masters.seen or masters.silent:
        run.fact(
            "The service catalog, where there is one, is told of etcd in --etcd-servers of the "
            "DaemonSet apiserver in kube-service-catalog. That is not looked at: let it list the "
            "same members, and wait until its pods are new ones."
        )


def _point(cluster: ClusterName, each: Master, voters: Sequence[Asked], run: Runbook) -> None:
    name = each.host.name
    if each.config is None:
        run.fact(f"{name} has no {master.CONFIG}: nothing is changed there.")
        return
    try:
        text = each.config.content.decode()
        urls = yaml_list.items(text, master.URLS)
        wanted = renewed(urls, voters)
        edit = edited(cluster, each.at, master.CONFIG, each.config, edit=ETCD_URLS, values=wanted)
        healthz = master.healthz(text, each.machine.hostname)
    except ValueError as error:
        run.fact(
            f"{master.CONFIG} on {name} stays, because {error}. Change "
            f"{'.'.join(master.URLS)} by hand, and restart its API server."
        )
        return
    if edit is None:
        return
    for url in urls:
        if owner_of(url, voters) is None:
            run.fact(f"{name} asks {url}, which is no voter's URL: it goes.")
    run.step(
        f"Let {name} ask the voters",
        edit,
        undo=Undo(f"On {name}: the former file lies beside it, as .…quorumbot-<its SHA-256>."),
    )
    if not each.parts:
        run.fact(f"No API server that is known here runs on {name}, so none is restarted there.")
        return
    restart_parts(cluster, each, healthz, run)


def restart_parts(
    cluster: ClusterName, each: Master, healthz: Healthz | None, run: Runbook
) -> None:
    """Restart what runs on a master; it is over when another process serves than before."""
    name = each.host.name
    noted = run.step(
        f"Note what runs on {name}",
        NoteParts(cluster, each.at, tuple(each.parts)),
        gives=f"the processes on {name}",
    )
    for part, unit in each.parts.items():
        run.step(
            f"Restart the {_WORDS[part]} on {name}",
            RestartPart(
                cluster,
                each.at,
                part,
                unit,
                cast("Mapping[str, str]", noted),
                healthz if part is Part.API else None,
            ),
        )


_WORDS = {Part.API: "API server", Part.CONTROLLERS: "controllers"}
