"""Replace a member by one on another host. (catalogue P50; P48, P51, P54, P55; R2-R7, R13, R19)

A failed member goes first and the new one comes after; for a healthy one it is the other way
round (R4). The new one joins as a learner, so that no write waits for it (R6).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.check_healthy import CheckHealthy, CheckMember, WriteAndRead
from procedures.actions.etcd.expect import Expect
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.promote_member import PromoteMember
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import condition, identity
from procedures.actions.host.files import MoveAside, rewritten
from procedures.actions.host.run_etcd import RetireEtcd, StartEtcd
from procedures.engine.ports import Look
from procedures.etcd.expected import without
from procedures.etcd.fitness import check_fit
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.etcd.joining import Place, joined, staying, url_on
from procedures.etcd.observe import find, listed
from procedures.etcd.spare import Spare, aside, data_of, look_at_spare
from procedures.model import quorum
from procedures.model.errors import Refused, UsageError
from procedures.model.host import At, FileSeen, Machine
from procedures.model.ids import ClusterName, MemberId, MemberName
from procedures.model.inventory import Host
from procedures.model.member import Condition, Identity
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id, and the host of the new one.

    Without `with_` it is the only host that has no member. The member's own host may be named
    where that machine was set up anew.
    """

    cluster: ClusterName
    member: str
    with_: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster and its machines, the host that gets the member, and what lies on the others.

    `configs` and `data` are by host name, for those that have a member and could be read.
    """

    hosts: Hosts
    spare: Spare
    configs: Mapping[str, FileSeen]
    data: Mapping[str, tuple[str, ...]]


async def look(args: Args, look: Look) -> Scene:
    """See how the members are, whether the host is fit, and how the others are configured."""
    how = layout(look.inventory.clusters[args.cluster].platform)
    hosts = await with_hosts(args.cluster, look)
    _, target = find(hosts.view, args.member)
    cluster = hosts.cluster
    spare = await look_at_spare(cluster, _chosen(args, hosts, target), look)
    homes = [
        host
        for host in cluster.hosts
        if isinstance(hosts.machines[host.name], Machine)
        and host.name in {row.name for _, row in listed(hosts.view)}
    ]
    files, data = await asyncio.gather(
        asyncio.gather(*(look.hosts.read(cluster, host, how.config) for host in homes)),
        asyncio.gather(*(data_of(cluster, host, look) for host in homes)),
    )
    configs = {
        host.name: file
        for host, file in zip(homes, files, strict=True)
        if isinstance(file, FileSeen)
    }
    return Scene(
        hosts,
        spare,
        configs,
        {host.name: each for host, each in zip(homes, data, strict=True) if each is not None},
    )


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Remove and add, or add and remove; then see that all are well."""
    view, cluster = scene.hosts.view, scene.hosts.cluster
    seen, row = find(view, args.member)
    old, expect = identity(row), condition(seen)
    new = scene.spare.host
    run.title = f"Replace member {old.name or old.id} of {args.cluster} by one on {new.name}"
    _allow(scene, old, expect, run)
    check_fit(scene.hosts, scene.spare)
    voting = quorum.voters(view.members)
    run.fact(
        f"Quorum: now {quorum.healthy(voting)} of {len(voting)} healthy, tolerance "
        f"{quorum.tolerance(view.members)}; afterwards {len(voting)} of {len(voting)}, "
        f"tolerance {(len(voting) - 1) // 2}."
    )
    run.fact(f"Member {old.shown}, peer {', '.join(old.peer_urls)}, is {expect}.")
    joins = _Joining(args.cluster, scene, old, expect, run)
    run.fact(
        f"{new.name} ({new.address}, machine {scene.spare.machine.machine_id}) gets {joins.url}."
    )
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster, not_from=old))
    if expect is Condition.FAILED:
        joins.remove()
        joins.prepare()
        joins.join()
    else:
        joins.prepare()
        joins.join()
        joins.remove()
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    joins.record()
    joins.tell_the_others()
    assert cluster.name == args.cluster  # noqa: S101 (one look, one cluster)


@dataclass(frozen=True, slots=True)
class _Joining:
    """Writes the parts of the plan, in either order."""

    cluster: ClusterName
    scene: Scene
    old: Identity
    expect: Condition
    run: Runbook

    @property
    def url(self) -> str:
        """The peer URL of the new member."""
        return url_on(self._others[0].peer_urls[0], self.scene.spare.host.address)

    def remove(self) -> None:
        """Take the old one out, and off where its host answers."""
        name = self.old.name or self.old.id
        if self.expect is Condition.HEALTHY:
            self.run.step(
                f"Hand leadership over if {name} has it", EnsureNotLeader(self.cluster, self.old)
            )
        self.run.step(
            f"Remove {name}",
            RemoveMember(self.cluster, self.old, self.expect),
            undo=Undo("A removed id never returns: add the host again as a new, empty member."),
        )
        if self.scene.spare.host.name == self.old.name:
            return
        machine = self.scene.hosts.machines.get(self.old.name)
        if not isinstance(machine, Machine):
            self.run.fact(
                f"The host of {name} does not answer, so its etcd is not switched off: the cluster "
                f"refuses it when it is back. Then run /etcd retire {name}."
            )
            return
        at, platform = At(self.old.name, machine.machine_id), self.scene.hosts.cluster.platform
        self.run.step(f"Switch etcd on {name} off", RetireEtcd(self.cluster, platform, at))
        if moves := aside(self.scene.data.get(self.old.name, ()), layout(platform)):
            self.run.step(
                f"Move the data of {name} aside", MoveAside(self.cluster, platform, at, *moves)
            )

    def prepare(self) -> None:
        """Make the host ready, before anything waits for it."""
        spare, platform = self.scene.spare, self.scene.hosts.cluster.platform
        at, how = At(spare.host.name, spare.machine.machine_id), layout(platform)
        if moves := aside(spare.left, how):
            self.run.step(
                f"Move the data that lies on {spare.host.name} aside",
                MoveAside(self.cluster, platform, at, *moves),
            )
        template, of = self._template()
        content = joined(template, of, Place(spare.host, spare.machine), self._peers)
        self.run.step(
            f"Configure etcd on {spare.host.name}",
            rewritten(self.cluster, at, how.config, spare.config, content),
        )

    def join(self) -> None:
        """Add it as a learner, start it, and let it vote when it has caught up."""
        spare, platform = self.scene.spare, self.scene.hosts.cluster.platform
        name = spare.host.name
        added = self.run.step(
            f"Add {name} as a learner",
            AddMember(self.cluster, name, self.url),
            gives="the id of the new member",
            undo=Undo(f"/etcd member remove {name}"),
        )
        self.run.step(
            f"Start etcd on {name}",
            StartEtcd(self.cluster, platform, At(name, spare.machine.machine_id)),
        )
        # Nobody knows the id before: these steps take what the addition gave.
        member = Identity(cast("MemberId", added), name, (self.url,))
        self.run.step(f"Wait until {name} has caught up", CheckMember(self.cluster, member))
        self.run.step(f"Let {name} vote", PromoteMember(self.cluster, member))

    def record(self) -> None:
        """Expect the new one in place of the old one."""
        cluster, view, host = self.scene.hosts.cluster, self.scene.hosts.view, self.scene.spare.host
        members = dict(cluster.endpoints)
        others = without(cluster, view, self.old.id)
        if others is not None:
            members = others
        name = MemberName(host.name)
        client = next(url for row in self._others for url in row.client_urls)
        members[name] = cluster.configured.get(name) or url_on(client, host.address)
        if members != dict(cluster.endpoints):
            title = f"Expect {host.name} in place of {self.old.name or self.old.id}"
            self.run.step(title, Expect(self.cluster, cluster.expected.members, members))

    def tell_the_others(self) -> None:
        """Write the new membership where etcd would look for it at a first start."""
        how = layout(self.scene.hosts.cluster.platform)
        peers = {name: url for name, url in self._peers.items() if name != self.old.name}
        peers[self.scene.spare.host.name] = self.url
        for row in self._others:
            file = self.scene.configs.get(row.name)
            if file is None:
                self.run.fact(f"The configuration on {row.name} cannot be read, and stays.")
                continue
            content = staying(_text(file), peers)
            if content != _text(file):
                self.run.step(
                    f"Note the new membership on {row.name}",
                    rewritten(
                        self.cluster, self.scene.hosts.at(row.name), how.config, file, content
                    ),
                )

    @property
    def _others(self) -> list[ListedMember]:
        return [row for _, row in listed(self.scene.hosts.view) if row.id != self.old.id]

    @property
    def _peers(self) -> dict[str, str]:
        """Who is a member when the new one joins, by name."""
        rows = self._others
        peers = {row.name: row.peer_urls[0] for row in rows}
        if self.expect is Condition.HEALTHY:
            peers[self.old.name] = self.old.peer_urls[0]
        return peers | {self.scene.spare.host.name: self.url}

    def _template(self) -> tuple[str, Place]:
        for row in self._others:
            file, machine = self.scene.configs.get(row.name), self.scene.hosts.machines[row.name]
            if file is not None and isinstance(machine, Machine):
                return _text(file), Place(self.scene.hosts.host(row.name), machine)
        message = "The configuration of no other member can be read, to make the new one's from it."
        raise Refused(message)


def _chosen(args: Args, hosts: Hosts, target: ListedMember) -> Host:
    """Find the host that gets the member. Raises UsageError and Refused."""
    taken = {row.name for _, row in listed(hosts.view)}
    spares = [host for host in hosts.cluster.hosts if host.name not in taken]
    if args.with_ is None:
        if len(spares) == 1:
            return spares[0]
        which = " or ".join(host.name for host in spares)
        message = (
            f"Say with --with which host gets the member: {which}."
            if spares
            else f"No host of {args.cluster} is without a member. Add one to the configuration."
        )
        raise Refused(message)
    host = next((each for each in hosts.cluster.hosts if each.name == args.with_), None)
    if host is None:
        names = ", ".join(each.name for each in hosts.cluster.hosts)
        message = f"There is no host {args.with_!r}. The hosts of {args.cluster} are {names}."
        raise UsageError(message)
    if host.name in taken and host.name != target.name:
        message = f"{host.name} has a member already."
        raise Refused(message)
    return host


def _allow(scene: Scene, old: Identity, expect: Condition, run: Runbook) -> None:
    members = scene.hosts.view.members
    if expect is Condition.FAILED:
        run.require(
            quorum.may_remove(members, old.id), "Where quorum is lost, restore from a snapshot."
        )
        rest = tuple(member for member in members if member.id != old.id)
        run.require(quorum.may_add(rest, learner=True))
        return
    if scene.spare.host.name == old.name:
        message = f"{old.name} is healthy: its own host cannot get another member. Name a spare."
        raise Refused(message)
    run.require(quorum.may_add(members, learner=True))


def _text(file: FileSeen) -> str:
    return file.content.decode("utf-8", "surrogateescape")


PROCEDURE = Procedure(
    "etcd replace", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)
