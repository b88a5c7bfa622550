"""Certificates of clients beside a member's own, as kubespray has them. (catalogue P65, P68; N11)

`node-HOST.pem` is what the API server of a host shows to etcd, and Calico has a copy of it.
"""

import asyncio
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace

from procedures.actions.host.check_clients import CheckClients
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.certificate_figures import day
from procedures.etcd.certificates_in_use import InUse
from procedures.etcd.own_certificates import OwnFiles, key_file
from procedures.model import certificate
from procedures.model.certificate import CLIENT, Leaf, signed
from procedures.model.host import At
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.platform import Layout, Pair, layout
from procedures.model.procedure import Runbook
from procedures.model.signing import NewPair

_MOST = 20
"""So many of others' are looked at on one host."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Who shows a host's own `pair` to etcd there: an API server, Calico by its `copy`.

    `others` are those of other hosts that lie there too, and stay; by path.
    """

    pair: Pair | None = None
    api: bool = False
    copy: Pair | None = None
    others: Mapping[str, Leaf] | None = None


async def with_clients(cluster: Cluster, own: OwnFiles, look: Look) -> tuple[OwnFiles, Clients]:
    """Add what a host shows as a client to what is its own. Raises Refused."""
    how = layout(cluster.platform)
    usual = how.certificates(own.machine.hostname)
    if usual.node is None:
        return own, Clients()
    asking, pair = Asking(look, cluster, own.host), usual.node
    file, key, others = await asyncio.gather(
        asking.file(pair.cert), key_file(asking, pair.key), _others(asking, pair.cert)
    )
    leaf = certificate.read(file.content) if file else None
    if file is None or leaf is None or key is None or not _ours(leaf, own):
        known = {pair.cert: leaf} if leaf else {}
        return own, Clients(others={**known, **others})
    use = InUse("node certificate", pair, usual.ca, (), frozenset({CLIENT}))
    joined = replace(
        own,
        uses=(*own.uses, use),
        certs={**own.certs, pair.cert: file},
        keys={**own.keys, pair.key: key},
    )
    api, copy = await asyncio.gather(_api(asking, how), _copy(asking, how))
    return joined, Clients(pair, api, copy, others)


def tell_clients(clients: Mapping[str, Clients], run: Runbook) -> None:
    """Say which certificates of clients stay as they are, and when they end."""
    if all(each.others is None for each in clients.values()):
        return
    for name, each in clients.items():
        if found := sorted((each.others or {}).items(), key=lambda item: item[1].ends_s):
            shown = ", ".join(
                f"{posixpath.basename(path)} ends {day(leaf.ends_s)}" for path, leaf in found
            )
            run.fact(f"{name}: certificates of other clients lie there too, and stay: {shown}.")
    run.fact(
        "Copies on hosts without etcd (node-*.pem, and Calico's) are not looked at, and stay as "
        "they are."
    )


def let_clients_take(
    cluster: ClusterName,
    at: At,
    clients: Clients,
    run: Runbook,
    *,
    pairs: tuple[NewPair, ...],
    new: tuple[str, ...],
) -> None:
    """Ask people to let an API server and Calico take their new certificate."""
    pair, copy = clients.pair, clients.copy
    if pair is None or not (clients.api or copy):
        return
    who, how, check = [], [], []
    if copy:
        who.append("Calico")
        how.append(
            # It may be a hard link to the former file, which is kept, so it is not written into.
            f"Put {pair.cert} in the place of {copy.cert}, and {pair.key} in that of {copy.key}: "
            "remove what is there first, and keep owner and mode. Then delete the pod of "
            "calico-node there, and that of calico-kube-controllers, wherever it is."
        )
        check.append(f"{copy.cert} is the new certificate and {copy.key} its key")
    if clients.api:
        who.append("the API server")
        first = "After that, restart" if copy else "Restart"
        how.append(
            f"{first} kube-apiserver: move its manifest out of /etc/kubernetes/manifests, wait "
            "until it has ended, and move it back. To delete its mirror pod restarts nothing."
        )
        check.append(f"kube-apiserver was started after {pair.cert} was put there")
    run.ask(
        f"Let {' and '.join(who)} on {at.host} take the new certificate",
        how=f"On {at.host}: {' '.join(how)}",
        check=f"{' and '.join(check)}.",
        by=CheckClients(cluster, at, pairs, new, pair.cert, copy=copy, api=clients.api),
    )


def _ours(leaf: Leaf, own: OwnFiles) -> bool:
    """Of a CA that its member trusts, and for this host."""
    trusted = (ca for found in own.trusted.values() for ca in found)
    named = (leaf.names | {leaf.common_name}) & (own.own_names - {"127.0.0.1", "localhost"})
    return bool(named) and any(signed(leaf, ca) for ca in trusted)


async def _others(asking: Asking, own: str) -> Mapping[str, Leaf]:
    folder = posixpath.dirname(own)
    paths = [
        f"{folder}/{name}"
        for name in await asking.names(folder)
        if name.startswith("node-") and name.endswith(".pem") and not name.endswith("-key.pem")
    ]
    wanted = [path for path in paths if path != own][:_MOST]
    files = await asyncio.gather(*(asking.file(path) for path in wanted))
    leaves = (certificate.read(file.content) if file else None for file in files)
    return {path: leaf for path, leaf in zip(wanted, leaves, strict=True) if leaf}


async def _api(asking: Asking, how: Layout) -> bool:
    return any([await asking.holds(*each.armed) for each in how.apis])


async def _copy(asking: Asking, how: Layout) -> Pair | None:
    there = how.client_copy is not None and await asking.holds("test", "-s", how.client_copy.cert)
    return how.client_copy if there else None
