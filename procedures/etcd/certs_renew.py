"""Renew the certificates of members, one member after another. (catalogue P65, P66, N11; R9, R10)

By the CA that there is; new keys never leave their host. All is signed and checked before any
file that etcd uses is replaced.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember
from procedures.actions.etcd.check_served import CheckServed
from procedures.actions.etcd.target import identity
from procedures.actions.host.place_certificates import PlaceCertificates
from procedures.actions.host.restart_etcd import RestartEtcd
from procedures.engine.ports import Look
from procedures.etcd.authority import Signer, days_of, find_signer, require_trust
from procedures.etcd.certificate_figures import day
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.issuing import Issuing, put_back, tell_kept, tell_pair, tell_signer
from procedures.etcd.observe import find, listed
from procedures.etcd.own_certificates import OwnFiles, look_at_own, renewed
from procedures.etcd.rolling import Rolling
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.model.errors import Refused
from procedures.model.host import Machine
from procedures.model.ids import ClusterName
from procedures.model.member import Identity
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health
from procedures.model.signing import NewPair


@dataclass(frozen=True, slots=True)
class Args:
    """Whose, by the name of the host or the member; None for all. For how many `days`.

    `outage` accepts that nobody serves meanwhile, where there are one or two voters.
    """

    cluster: ClusterName
    host: str | None = None
    days: str | None = None
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster, who signs, what lies on the host of each member by its name, and the time."""

    hosts: Hosts
    signer: Signer
    own: Mapping[str, OwnFiles]
    now_s: int


async def look(args: Args, look: Look) -> Scene:
    """See the members, their files, and the CA."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look)
    names = [row.name for _, row in listed(hosts.view)]
    for name in names:
        hosts.at(name)
    signer = await find_signer(hosts, look)
    found = await asyncio.gather(
        *(look_at_own(cluster, hosts.host(name), _machine(hosts, name), look) for name in names)
    )
    own = dict(zip(names, found, strict=True))
    return Scene(hosts, signer, own, look.clock.now_ms() // 1_000)


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Make all that is new; then replace it on one member after another."""
    hosts, cluster = scene.hosts, scene.hosts.cluster
    days = days_of(args.days, scene.signer, scene.now_s)
    chosen = _chosen(args, hosts)
    what = chosen[0].name if args.host else "all members"
    run.title = f"Renew the certificates of {what} of {args.cluster}"
    forbid_while_corrupt(hosts.view)
    rolling = Rolling(args.cluster, hosts.view, chosen, run, args.outage)
    _allow(scene, chosen, rolling)
    new = {member: renewed(scene.own[member.name], cluster) for member in chosen}
    _facts(scene, new, days, run)
    issuing = Issuing(args.cluster, cluster.platform, scene.signer, days)
    sums = {member: issuing.by(hosts.at(member.name), pairs, run) for member, pairs in new.items()}
    for member, pairs in new.items():
        _one(scene, member, pairs, sums[member], rolling)
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))


def _one(
    scene: Scene,
    member: Identity,
    pairs: tuple[NewPair, ...],
    new: tuple[str, ...],
    rolling: Rolling,
) -> None:
    cluster, name, run = scene.hosts.cluster, member.name, rolling.run
    at, how = scene.hosts.at(name), layout(cluster.platform)
    undo = put_back(name, pairs, how.stop, how.start)
    rolling.hand_over(member)
    run.step(
        f"Put the new certificates of {name} in place",
        PlaceCertificates(cluster.name, at, pairs, new, member, rolling.outage),
        undo=undo,
    )
    run.step(
        f"Restart etcd on {name}",
        RestartEtcd(cluster.name, cluster.platform, at, member, outage=rolling.outage),
        undo=undo,
    )
    run.step(f"Wait until {name} has caught up", CheckMember(cluster.name, member))
    run.step(
        f"Check that {name} shows its new certificates",
        CheckServed(cluster.name, member, pairs, new),
    )


def _chosen(args: Args, hosts: Hosts) -> list[Identity]:
    """By name: whoever leads hands over to the last, when its turn comes (R10)."""
    if args.host is not None:
        return [identity(find(hosts.view, args.host)[1])]
    return sorted((identity(row) for _, row in listed(hosts.view)), key=lambda each: each.name)


def _allow(scene: Scene, chosen: list[Identity], rolling: Rolling) -> None:
    """R10, and one CA for all. Raises Refused."""
    for seen, row in listed(scene.hosts.view):
        if seen.health is not Health.HEALTHY:
            message = (
                f"{row.name or row.id} must be healthy first (R10): {seen.why} Members whose "
                "certificates have ended already are all stopped and started at once, by hand; "
                "that is not done here."
            )
            raise Refused(message)
    members = scene.hosts.view.members
    for member in chosen:
        rolling.allow(members, member)
        members = tuple(
            replace(each, health=Health.HEALTHY) if each.id == member.id else each
            for each in members
        )
    for own in scene.own.values():
        require_trust(own, scene.signer)


def _facts(
    scene: Scene, new: Mapping[Identity, tuple[NewPair, ...]], days: int, run: Runbook
) -> None:
    tell_signer(scene.signer, days, run)
    for member, pairs in new.items():
        for each in pairs:
            leaf = scene.own[member.name].leaf(each.cert)
            until = f"{each.cert} ends {day(leaf.ends_s)}" if leaf else f"{each.cert} is none"
            run.fact(f"{member.name}: {until}; {tell_pair(each)}.")
    tell_kept(next(iter(new.values())), run)
    if scene.signer.place.config is None:
        run.fact("Those of clients in the same folder (node-*.pem) stay as they are.")


def _machine(hosts: Hosts, name: str) -> Machine:
    machine = hosts.machines[name]
    assert isinstance(machine, Machine)  # noqa: S101 (it was pinned)
    return machine


PROCEDURE = Procedure(
    "etcd certs renew", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
