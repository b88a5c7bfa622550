"""Whom API servers of Kubernetes and Calico ask, and asking people to change it. (catalogue P68)

Nobody here writes these files: who made them (kubespray, kubeadm) has the list as well, and an API
server restarts as soon as its manifest changes.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from procedures.actions.host.check_etcd_urls import CheckEtcdUrls, Listed
from procedures.engine.ports import Look
from procedures.etcd.hosts import Hosts
from procedures.model.client_urls import Asked, owner_of, renewed
from procedures.model.host import At, FileSeen, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster, Host
from procedures.model.kubernetes import MANIFEST, PATHS, etcd_urls, setting
from procedures.model.paths import within, writable
from procedures.model.procedure import Runbook


@dataclass(frozen=True, slots=True)
class Place:
    """A file on a host; `urls` is None where its list cannot be told."""

    at: At
    path: str
    urls: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """The files that were found; `silent` are hosts of which nobody can tell."""

    places: tuple[Place, ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Tell whether a host is known to run an API server."""
        return any(each.path == MANIFEST for each in self.places)

    def stranded(self, voters: Sequence[Asked]) -> "Kubernetes":
        """Keep those that ask none of these voters."""
        left = (each for each in self.places if each.urls and not _owners(each.urls, voters))
        return Kubernetes(tuple(left))

    def apart_from(self, others: "Kubernetes") -> "Kubernetes":
        """Leave places out."""
        left = (each for each in self.places if each not in others.places)
        return Kubernetes(tuple(left), self.silent)


async def look_at_kubernetes(hosts: Hosts, look: Look) -> Kubernetes:
    """Look on all hosts, where the platform may have it. A silent one stands against nothing."""
    cluster = hosts.cluster
    if not within(MANIFEST, writable(cluster.platform)):
        return Kubernetes()
    found = await asyncio.gather(*(_on(cluster, host, hosts, look) for host in cluster.hosts))
    return Kubernetes(
        tuple(place for each in found if isinstance(each, list) for place in each),
        tuple(each for each in found if isinstance(each, str)),
    )


async def _on(cluster: Cluster, host: Host, hosts: Hosts, look: Look) -> list[Place] | str:
    machine = hosts.machines.get(host.name)
    if not isinstance(machine, Machine):
        return host.name
    files = await asyncio.gather(*(look.hosts.read(cluster, host, path) for path in PATHS))
    if any(not isinstance(file, FileSeen | None) for file in files):
        return host.name
    at = At(host.name, machine.machine_id)
    places = [
        Place(at, path, etcd_urls(path, file.content.decode(errors="replace")))
        for path, file in zip(PATHS, files, strict=True)
        if isinstance(file, FileSeen)
    ]
    # Calico has a list there only where it keeps its data in etcd.
    return [each for each in places if each.path == MANIFEST or each.urls is not None]


def ask_to_point(
    cluster: ClusterName,
    kubernetes: Kubernetes,
    voters: Sequence[Asked],
    run: Runbook,
    whom: str = "the members that etcd has now",
) -> None:
    """Ask people to write the voters' URLs where they are not; it waits until they are there."""
    listed = []
    for each in kubernetes.places:
        wanted = renewed(each.urls, voters) if each.urls is not None else ()
        if not wanted:
            run.fact(
                f"Nobody can tell from {each.path} on {each.at.host} which etcd is asked there: "
                "see to it that all members are."
            )
        elif set(wanted) != set(each.urls or ()):
            listed.append(Listed(each.at, each.path, wanted))
    if kubernetes.silent:
        run.fact(
            f"Nobody can tell whom an API server on {' or '.join(kubernetes.silent)} asks: when "
            f"it is back, look at --etcd-servers in {MANIFEST} there."
        )
    if not listed:
        return
    run.ask(
        f"Let {_who(listed)} ask {whom}",
        how=_how(listed, kubernetes),
        check="these files are read again.",
        by=CheckEtcdUrls(cluster, tuple(listed)),
    )


def _who(listed: Sequence[Listed]) -> str:
    """Who is told, without the hosts: there may be many."""
    paths = {each.path for each in listed}
    who = ["the API servers"] if MANIFEST in paths else []
    return " and ".join([*who, "Calico"] if paths - {MANIFEST} else who)


def _how(listed: Sequence[Listed], kubernetes: Kubernetes) -> str:
    """What people are to write where: a list for each spelling, as the files have it."""
    lines = []
    for path, urls in dict.fromkeys((each.path, each.urls) for each in listed):
        names = [each.at.host for each in listed if (each.path, each.urls) == (path, urls)]
        lines.append(f"In {path} on {_and(names)}: {setting(path, urls)}")
    if any(each.path == MANIFEST for each in listed):
        lines.append(
            "One host after the other: the kubelet restarts an API server when its manifest "
            "changes. Leave no copy in that folder: the kubelet would run it as well."
        )
    if any(each.path != MANIFEST for each in kubernetes.places):
        lines.append(
            "Calico has the list in the ConfigMap calico-config of kube-system too "
            "(etcd_endpoints), which is not looked at; its pods read it when they start."
        )
    else:
        lines.append(
            "Where Calico keeps its data in this etcd, etcd_endpoints in the ConfigMap "
            "calico-config of kube-system is the same list; that is not looked at."
        )
    return "\n".join(lines)


def _owners(urls: Iterable[str], voters: Sequence[Asked]) -> bool:
    return any(owner_of(url, voters) for url in urls)


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
