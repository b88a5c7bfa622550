"""Make certificates for a host that is to get a member. (catalogue P53, P65; rule R17)

They are like those of a member: of the same CA, good for the same ends, of the same owner.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from procedures.actions.host.files import rewritten
from procedures.actions.host.place_certificates import PlaceCertificates
from procedures.engine.ports import Look
from procedures.etcd.asking import Asking
from procedures.etcd.authority import Signer, days_of, find_signer, require_trust
from procedures.etcd.hosts import Hosts, member_on, with_hosts
from procedures.etcd.issuing import Issuing, put_back, tell_kept, tell_pair, tell_signer
from procedures.etcd.observe import listed
from procedures.etcd.own_certificates import OwnFiles, first, look_at_own
from procedures.etcd.spare import Spare, look_at_spare
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Host
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """For which host, for how many `days`."""

    cluster: ClusterName
    host: str
    days: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The host, those of members that could be seen, who signs, and the time.

    `strangers` are users that own the files of members, and that the host does not know.
    """

    hosts: Hosts
    spare: Spare
    own: OwnFiles
    members: Mapping[str, OwnFiles]
    signer: Signer
    strangers: tuple[str, ...]
    now_s: int


async def look(args: Args, look: Look) -> Scene:
    """See the host, what members have, and the CA. Raises Refused."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look)
    chosen = _chosen(args, hosts)
    spare = await look_at_spare(cluster, chosen, look)
    signer = await find_signer(hosts, look)
    homes = [
        (each, machine)
        for each in cluster.hosts
        if each.name in {row.name for _, row in listed(hosts.view)}
        and isinstance(machine := hosts.machines[each.name], Machine)
    ]
    own, *members = await asyncio.gather(
        look_at_own(cluster, chosen, spare.machine, look),
        *(look_at_own(cluster, each, machine, look) for each, machine in homes),
    )
    owners = sorted({key.owner for each in members for key in each.keys.values()})
    asking = Asking(look, cluster, chosen)
    known = [await asking.holds("id", "-u", "--", each) for each in owners]
    return Scene(
        hosts=hosts,
        spare=spare,
        own=own,
        members={each.host.name: each for each in members},
        signer=signer,
        strangers=tuple(each for each, knows in zip(owners, known, strict=True) if not knows),
        now_s=look.clock.now_ms() // 1_000,
    )


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Make keys, have them signed, and put all in place; nothing runs there yet."""
    host, cluster, signer = scene.spare.host, scene.hosts.cluster, scene.signer
    days = days_of(args.days, signer, scene.now_s)
    run.title = f"Make certificates for {host.name} of {args.cluster}"
    model = _allow(scene)
    pairs = first(scene.own, model, _names(scene.hosts), cluster)
    at = At(host.name, scene.spare.machine.machine_id)
    tell_signer(signer, days, run)
    for each in pairs:
        run.fact(f"{host.name}: {each.cert}, like that of {model.host.name}; {tell_pair(each)}.")
    for name, machine in scene.hosts.machines.items():
        if name != host.name and not isinstance(machine, Machine):
            run.fact(f"Whether {name} trusts that CA could not be seen: {machine.message}")
    tell_kept(pairs, run)
    new = Issuing(args.cluster, cluster.platform, signer, days).by(at, pairs, run)
    for path, content in _trusted(scene, model).items():
        was = scene.own.certs.get(path)
        if was is None or was.content != content:
            title = f"Let {host.name} trust the CA of {model.host.name}"
            run.step(title, rewritten(args.cluster, at, path, was, content.decode()))
    run.step(
        f"Put the certificates of {host.name} in place",
        PlaceCertificates(args.cluster, at, pairs, new),
        undo=put_back(host.name, pairs),
    )


def _chosen(args: Args, hosts: Hosts) -> Host:
    """The host that is meant. Raises UsageError, and Refused where it has a member."""
    for each in hosts.cluster.hosts:
        if each.name == args.host:
            if row := member_on(each, hosts.view):
                message = (
                    f"{each.name} has the member {row.name or row.id}. Its certificates are made "
                    f"anew by /etcd certs renew {row.name or row.id}."
                )
                raise Refused(message)
            return each
    names = ", ".join(each.name for each in hosts.cluster.hosts)
    message = f"There is no host {args.host!r}. The hosts are {names}."
    raise UsageError(message)


def _allow(scene: Scene) -> OwnFiles:
    """Make sure that they are needed, and give the member's host after which they are made."""
    host = scene.spare.host
    if scene.spare.runs:
        message = f"An etcd runs on {host.name}, so its certificates stay as they are."
        raise Refused(message)
    if not scene.spare.unfit:
        message = f"{host.name} has certificates that are fit for a member: nothing is to be done."
        raise Refused(message)
    if not scene.members:
        message = "No host of a member could be looked at, so nobody knows what to make."
        raise Refused(message)
    if scene.strangers:
        names = " and ".join(scene.strangers)
        message = (
            f"{host.name} has no user {names}, which owns the keys of members: install etcd there "
            "first."
        )
        raise Refused(message)
    for each in scene.members.values():
        require_trust(each, scene.signer, scene.now_s)
    return next(each for _, each in sorted(scene.members.items()))


def _names(hosts: Hosts) -> list[str]:
    """What machines are called, and where they are: nothing of that is for all of them."""
    machines = (each for each in hosts.machines.values() if isinstance(each, Machine))
    named = (name for each in hosts.cluster.hosts for name in (each.name, each.address))
    return [*named, *(each.hostname for each in machines)]


def _trusted(scene: Scene, model: OwnFiles) -> dict[str, bytes]:
    """What the host has to trust, by file: the same as the member's."""
    return {
        use.ca: model.certs[like.ca].content
        for use, like in zip(scene.own.uses, model.uses, strict=True)
        if like.ca in model.certs
    }


PROCEDURE = Procedure(
    "etcd certs issue", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)
