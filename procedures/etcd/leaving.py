"""What a member that goes leaves on hosts: its etcd, its data, its name on the others.

(catalogue P48; R21; X15)
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from procedures.actions.host.files import MoveAside, is_text, rewritten
from procedures.actions.host.run_etcd import RetireEtcd
from procedures.engine.ports import Look
from procedures.etcd.data_place import leaves_data
from procedures.etcd.hosts import Hosts
from procedures.etcd.joining import staying
from procedures.etcd.observe import listed
from procedures.etcd.residents import residents, shown
from procedures.etcd.spare import aside, data_of
from procedures.model.host import At, FileSeen, Machine, Said
from procedures.model.ids import ClusterName
from procedures.model.inventory import Host
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Runbook


@dataclass(frozen=True, slots=True)
class Homes:
    """The hosts of members: how etcd is configured there, and what lies in its data folder.

    Both are by host name, for those that could be read. `signers` are the hosts of the cluster with
    the key of its CA.
    """

    hosts: Hosts
    configs: Mapping[str, FileSeen]
    data: Mapping[str, tuple[str, ...]]
    signers: tuple[str, ...] = ()


async def look_at_homes(hosts: Hosts, look: Look) -> Homes:
    """Read them; one that does not answer is left out."""
    cluster, how = hosts.cluster, layout(hosts.cluster.platform)
    homes = {home.name: home for _, row in listed(hosts.view) if (home := home_of(row, hosts))}
    able = [each for each in homes.values() if isinstance(hosts.machines[each.name], Machine)]
    files, data, signers = await asyncio.gather(
        asyncio.gather(*(look.hosts.read(cluster, host, how.config) for host in able)),
        asyncio.gather(*(data_of(cluster, host, look) for host in able)),
        _signers(hosts, look),
    )
    return Homes(
        hosts,
        {
            host.name: file
            for host, file in zip(able, files, strict=True)
            if isinstance(file, FileSeen)
        },
        {host.name: each for host, each in zip(able, data, strict=True) if each is not None},
        signers,
    )


def home_of(row: ListedMember, hosts: Hosts) -> Host | None:
    """Find a member's host: the one of its very name, else the one at its very peer address."""
    addresses = {urlsplit(url).hostname for url in row.peer_urls}
    named = [each for each in hosts.cluster.hosts if row.name and each.name == row.name]
    there = [each for each in hosts.cluster.hosts if each.address in addresses]
    return next(iter((*named, *there)), None)


def switch_off(cluster: ClusterName, homes: Homes, gone: ListedMember, run: Runbook) -> None:
    """End etcd for good where a removed member lived, and move its data aside.

    Not where another member lives too. A host that does not answer is named, for its return, and
    so is data that lies elsewhere than where it is looked for.
    """
    hosts = homes.hosts
    home, name = home_of(gone, hosts), gone.name or gone.id
    others = [row for _, row in listed(hosts.view) if row.id != gone.id]
    if home is None:
        run.fact(f"The configuration names no host of {name}, so its etcd is not switched off.")
        return
    if row := next((row for row in others if home_of(row, hosts) == home), None):
        run.fact(f"{home.name} has the member {row.name or row.id} too: its etcd stays on.")
        return
    there = residents(homes.configs.get(home.name), hosts.view)
    if there and all(row.id != gone.id for row in there):
        run.fact(
            f"etcd on {home.name} is configured as the member {shown(there[0])}, so it stays on: "
            f"look whether {home.address} is the address of {home.name}, and switch off the etcd "
            f"of {name} by hand."
        )
        return
    machine = hosts.machines.get(home.name)
    _tell_of_key(homes, home, run)
    if not isinstance(machine, Machine):
        said = "does not answer"
        if machine is not None and machine.kind.on_our_side:  # it does, and nobody gets in
            said = f"lets nobody in ({machine.message.rstrip('.')})"
        run.fact(
            f"The host of {name} {said}, so its etcd is not switched off: the cluster "
            f"refuses it when it is back. Then run /etcd retire {home.name}."
        )
        return
    platform, at = hosts.cluster.platform, At(home.name, machine.machine_id)
    stays = leaves_data(home.name, homes.configs.get(home.name), layout(platform), run)
    run.step(f"Switch etcd on {home.name} off", RetireEtcd(cluster, platform, at))
    moves = aside(homes.data.get(home.name, ()), layout(platform))
    if moves and not stays:
        run.step(f"Move the data of {home.name} aside", MoveAside(cluster, platform, at, *moves))


def tell_the_others(
    cluster: ClusterName,
    homes: Homes,
    others: Iterable[ListedMember],
    peers: Mapping[str, str],
    run: Runbook,
) -> None:
    """Write the new membership where etcd would look for it at a first start; none restarts."""
    hosts, how = homes.hosts, layout(homes.hosts.cluster.platform)
    for row in others:
        home = home_of(row, hosts)
        file = homes.configs.get(home.name) if home else None
        if home is None or file is None:
            name = home.name if home else row.name or row.id
            run.fact(f"The configuration on {name} cannot be read, and stays.")
            continue
        before = file.content.decode("utf-8", "surrogateescape")
        content = staying(before, peers)
        if content != before and not is_text(content):
            run.fact(f"{how.config} on {home.name} is no UTF-8 text, and stays as it is.")
        elif content != before:
            run.step(
                f"Note the new membership on {home.name}",
                rewritten(cluster, hosts.at(home.name), how.config, file, content),
            )


async def _signers(hosts: Hosts, look: Look) -> tuple[str, ...]:
    cluster, key = hosts.cluster, layout(hosts.cluster.platform).authority.key
    able = [each for each in cluster.hosts if isinstance(hosts.machines[each.name], Machine)]
    said = await asyncio.gather(
        *(look.hosts.ask(cluster, each, ("test", "-s", key)) for each in able)
    )
    return tuple(
        host.name
        for host, each in zip(able, said, strict=True)
        if isinstance(each, Said) and each.status == 0
    )


def _tell_of_key(homes: Homes, home: Host, run: Runbook) -> None:
    """Say where the CA's key goes with the host: a new CA is never made (R17)."""
    cluster = homes.hosts.cluster
    key = layout(cluster.platform).authority.key
    if home.name in homes.signers:
        if homes.signers == (home.name,):
            run.fact(
                f"The CA's key, {key}, lies on {home.name} alone: keep a copy of its folder before "
                "that host goes, or nobody can issue certificates for members any more (R17)."
            )
        return
    silent = not isinstance(homes.hosts.machines.get(home.name), Machine)
    if silent and cluster.tls and not homes.signers:
        run.fact(
            f"No host that answers has the CA's key, {key}. It may lie on {home.name}: keep that "
            "disk until it is found, or nobody can issue certificates for members any more (R17)."
        )
