"""Renew the certificates of members, one member after another. (catalogue P65, P66, N11; R9, R10)

By the CA that there is; new keys never leave their host. All is signed and checked before any
file that etcd uses is replaced. Where certificates have expired and quorum is lost by that, it is
done to all members at once.
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
from procedures.etcd.certs_at_once import AtOnce
from procedures.etcd.client_certificates import (
    Clients,
    let_clients_take,
    tell_clients,
    with_clients,
)
from procedures.etcd.cut_off import CutOff, all_well, look_at_cut_off, require_expired, require_own
from procedures.etcd.forcing import forbid_ordered_on
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.issuing import Issuing, put_back, tell_kept, tell_pair, tell_signer
from procedures.etcd.observe import find, listed, require_listed
from procedures.etcd.own_certificates import OwnFiles, look_at_own, renewed
from procedures.etcd.rolling import Rolling
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.model import quorum
from procedures.model.certificate import Leaf
from procedures.model.errors import Refused
from procedures.model.host import At, Machine
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.member import Identity
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health, Member
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
    """The cluster, who signs, what lies on the host of each member by its name, and the time.

    `clients` are those on the same hosts; `cut` is what is known besides where a member is unwell;
    `silent` are members whose hosts do not answer, where the others are enough for a quorum.
    """

    hosts: Hosts
    signer: Signer
    own: Mapping[str, OwnFiles]
    clients: Mapping[str, Clients]
    now_s: int
    cut: CutOff | None = None
    silent: tuple[str, ...] = ()


async def look(args: Args, look: Look) -> Scene:
    """See the members, their files, and the CA."""
    cluster = look.inventory.clusters[args.cluster]
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look, unlisted=True)
    well = all_well(hosts.view)
    if not well:
        await require_own(cluster, look)
    # Where nobody gives a list, the expected ones are taken for the members.
    every = [each.listed.name if each.listed else each.name for each in hosts.view.seen]
    names = _there(hosts, every)
    await forbid_ordered_on(hosts, names, look)
    signer = await find_signer(hosts, look)
    found = await asyncio.gather(
        *(look_at_own(cluster, hosts.host(name), _machine(hosts, name), look) for name in names)
    )
    both = await asyncio.gather(*(with_clients(cluster, each, look) for each in found))
    own = {name: each for name, (each, _) in zip(names, both, strict=True)}
    clients = {name: each for name, (_, each) in zip(names, both, strict=True)}
    cut = None if well else await look_at_cut_off(hosts, own, look)
    silent = tuple(name for name in every if name not in names)
    return Scene(hosts, signer, own, clients, look.clock.now_ms() // 1_000, cut, silent)


def _there(hosts: Hosts, names: list[str]) -> list[str]:
    """Those whose hosts answer: all of them, but without quorum enough for one. Raises Refused."""
    there = [name for name in names if isinstance(hosts.machines.get(name), Machine)]
    voters = {each.listed.name if each.listed else each.name for each in hosts.view.voters}
    enough = len(voters & set(there)) >= quorum.quorum(len(voters))
    if hosts.view.quorum_proven or not enough:
        for name in names:
            hosts.at(name)
    return there


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Make all that is new; then replace it on one member after another."""
    hosts, cluster = scene.hosts, scene.hosts.cluster
    days = days_of(args.days, scene.signer, scene.now_s)
    issuing = Issuing(args.cluster, cluster.platform, scene.signer, days)
    forbid_while_corrupt(hosts.view)
    for own in scene.own.values():
        require_trust(own, scene.signer, scene.now_s)
    if scene.cut is not None and not hosts.view.quorum_proven:
        _at_once(args, scene, scene.cut, issuing, run)
        return
    require_listed(args.cluster, hosts.view)
    chosen = _chosen(args, hosts)
    what = chosen[0].name if args.host else "all members"
    run.title = f"Renew the certificates of {what} of {args.cluster}"
    rolling = Rolling(args.cluster, hosts.view, chosen, run, args.outage)
    _allow(scene, chosen, rolling)
    new = {member: renewed(scene.own[member.name], cluster) for member in chosen}
    _facts(scene, {member.name: pairs for member, pairs in new.items()}, days, run)
    sums = {member: issuing.by(hosts.at(member.name), pairs, run) for member, pairs in new.items()}
    ways = [_Way(scene, member, pairs, sums[member], rolling) for member, pairs in new.items()]
    if ended := _ended(scene):
        run.fact(
            f"Certificates of {' and '.join(ended)} have ended, so all get their files before any "
            "is restarted: one that connects anew would be turned away by the others (R17)."
        )
        for way in ways:
            # Nobody can be asked to show them who is not there; R10 holds again at the restarts.
            way.place(shown=not _cut_off(scene))
    for way in ways:
        way.hand_over()
        if not ended:
            way.place()
        way.restart()
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    for member, pairs in new.items():
        at, clients = hosts.at(member.name), scene.clients[member.name]
        let_clients_take(args.cluster, at, clients, run, pairs=pairs, new=sums[member])


def _at_once(args: Args, scene: Scene, cut: CutOff, issuing: Issuing, run: Runbook) -> None:
    """All members, where the end of their certificates has cost the quorum. Raises Refused."""
    require_expired(scene.hosts.view, cut, scene.own)
    if args.host is not None:
        message = (
            f"{args.cluster} has no quorum, because certificates of "
            f"{' and '.join(sorted(cut.expired))} have expired, and one member alone cannot bring "
            f"it back (R17). Leave {args.host} out: all are renewed at once."
        )
        raise Refused(message)
    of = " and ".join(scene.own) if scene.silent else "all members"
    run.title = f"Renew the expired certificates of {of} of {args.cluster} at once"
    new = {name: renewed(own, scene.hosts.cluster) for name, own in scene.own.items()}
    _facts(scene, new, issuing.days, run)
    AtOnce(scene.hosts, cut, issuing, scene.clients, scene.silent).plan(new, run)


@dataclass(frozen=True, slots=True)
class _Way:
    """Writes how one member takes its new certificates; `new` are their SHA-256 sums."""

    scene: Scene
    member: Identity
    pairs: tuple[NewPair, ...]
    new: tuple[str, ...]
    rolling: Rolling

    def hand_over(self) -> None:
        """R9, where there is somebody to hand over to."""
        self.rolling.hand_over(self.member)

    def place(self, *, shown: bool = True) -> None:
        """Put the files there: etcd reads them at each handshake, and has to have `shown` them."""
        member, outage = self.member if shown else None, self.rolling.outage
        self.run.step(
            f"Put the new certificates of {self.member.name} in place",
            PlaceCertificates(self._cluster.name, self._at, self.pairs, self.new, member, outage),
            undo=self._undo,
        )

    def restart(self) -> None:
        """Restart it, and see that it is back with what is new."""
        cluster, name, outage = self._cluster, self.member.name, self.rolling.outage
        self.run.step(
            f"Restart etcd on {name}",
            RestartEtcd(cluster.name, cluster.platform, self._at, self.member, outage=outage),
            undo=self._undo,
        )
        self.run.step(f"Wait until {name} has caught up", CheckMember(cluster.name, self.member))
        self.run.step(
            f"Check that {name} shows its new certificates",
            CheckServed(cluster.name, self.member, self.pairs, self.new),
        )

    @property
    def run(self) -> Runbook:
        """Where it is written."""
        return self.rolling.run

    @property
    def _cluster(self) -> Cluster:
        return self.scene.hosts.cluster

    @property
    def _at(self) -> At:
        return self.scene.hosts.at(self.member.name)

    @property
    def _undo(self) -> Undo | None:
        how = layout(self._cluster.platform)
        return put_back(self.member.name, self.pairs, how.stop, how.start)


def _chosen(args: Args, hosts: Hosts) -> list[Identity]:
    """By name, after those that are not well; whoever leads hands over to the last. (R10)"""
    if args.host is not None:
        return [identity(find(hosts.view, args.host)[1])]
    rows = sorted(
        listed(hosts.view), key=lambda each: (each[0].health is Health.HEALTHY, each[1].name)
    )
    return [identity(row) for _, row in rows]


def _allow(scene: Scene, chosen: list[Identity], rolling: Rolling) -> None:
    """R10; one that only its expired certificates cut off goes first. Raises Refused."""
    ids, cut_off = {each.id for each in chosen}, _cut_off(scene)
    for seen, row in listed(scene.hosts.view):
        if seen.health is Health.HEALTHY:
            continue
        if row.name not in cut_off:
            message = (
                f"{row.name or row.id} must be healthy first (R10): {seen.why} Its certificates "
                "have not expired by the clock of its host, so that is not what is wrong."
            )
            raise Refused(message)
        if row.id not in ids:
            message = (
                f"{row.name} must be healthy first (R10): its certificates have expired. Ask for "
                f"/etcd certs renew {row.name}, or for all."
            )
            raise Refused(message)
    if cut_off and scene.cut is not None:
        scene.cut.require_clocks()
        rolling.run.fact(
            f"{' and '.join(cut_off)} cannot be asked, because of certificates that have expired "
            "by openssl there; the others have quorum, and those come first (R10, R17)."
        )
    names = {each.name for each in chosen}
    if also := [name for name in _ended(scene) if name not in names]:
        message = (
            f"Certificates of {' and '.join(also)} have ended, so {' and '.join(sorted(names))} "
            "would be turned away after its restart (R17). Renew those of all together."
        )
        raise Refused(message)
    members = _once_placed(scene, cut_off)
    for member in chosen:
        rolling.allow(members, member)
        members = tuple(
            replace(each, health=Health.HEALTHY) if each.id == member.id else each
            for each in members
        )


def _once_placed(scene: Scene, cut_off: list[str]) -> tuple[Member, ...]:
    """The members as they are when the files of all are in place, and none is restarted yet.

    etcd reads them at each handshake, so whom only dates cut off can be asked again then. Without
    that, nobody could be renewed where more are cut off than may be missing. R10 is looked at once
    more before each restart.
    """
    rows = {row.id for _, row in listed(scene.hosts.view) if row.name in cut_off}
    return tuple(
        replace(each, health=Health.HEALTHY)
        if each.id in rows and each.health is Health.UNKNOWN
        else each
        for each in scene.hosts.view.members
    )


def _ended(scene: Scene) -> list[str]:
    """Those whose ports show what has ended: who connects anew is turned away."""
    return [
        name
        for name, own in scene.own.items()
        if any(
            leaf.ends_s <= scene.now_s
            for pair, uses in own.pairs.items()
            if any(use.port for use in uses) and (leaf := own.leaf(pair.cert))
        )
    ]


def _cut_off(scene: Scene) -> list[str]:
    """Those that are not healthy, and whose certificates have expired."""
    expired = scene.cut.expired if scene.cut else {}
    return [
        row.name
        for seen, row in listed(scene.hosts.view)
        if seen.health is not Health.HEALTHY and row.name in expired
    ]


def _facts(scene: Scene, new: Mapping[str, tuple[NewPair, ...]], days: int, run: Runbook) -> None:
    tell_signer(scene.signer, days, run)
    for name, pairs in new.items():
        for each in pairs:
            leaf = scene.own[name].leaf(each.cert)
            run.fact(f"{name}: {_until(each.cert, leaf, scene.now_s)}; {tell_pair(each)}.")
    tell_kept(next(iter(new.values())), run)
    tell_clients({name: scene.clients[name] for name in new}, run)


def _until(path: str, leaf: Leaf | None, now_s: int) -> str:
    if leaf is None:
        return f"{path} is none"
    return f"{path} {'ended' if leaf.ends_s <= now_s else 'ends'} {day(leaf.ends_s)}"


def _machine(hosts: Hosts, name: str) -> Machine:
    machine = hosts.machines[name]
    assert isinstance(machine, Machine)  # noqa: S101 (it was pinned)
    return machine


PROCEDURE = Procedure(
    "etcd certs renew", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
