"""Replace a member by one on another host. (catalogue P50; P48, P51, P53-P55; R2-R7, R13, R19)

A failed member goes first and the new one comes after; for a healthy one it is the other way
round (R4). The new one joins as a learner, so that no write waits for it (R6).
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import condition, identity
from procedures.engine.ports import Look
from procedures.etcd.admission import Admission
from procedures.etcd.alarms import forbid_while_full
from procedures.etcd.around import Around, joined, look_around, tell_ahead, tell_all
from procedures.etcd.expected import without
from procedures.etcd.fitness import check_fit
from procedures.etcd.hosts import Hosts, has_member, spare_host, with_hosts
from procedures.etcd.leaving import home_of, switch_off
from procedures.etcd.newcomer import Newcomer, look_at_newcomer
from procedures.etcd.observe import find, not_well
from procedures.etcd.peer_urls import forbid_loopback
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.unfinished import unfinished
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.inventory import Host
from procedures.model.member import Condition, Identity
from procedures.model.plan import Risk, Undo
from procedures.model.platform import layout
from procedures.model.probe import ListedMember
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health


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
    """The cluster and its machines, the host that gets the member, and what lies on the others."""

    new: Newcomer
    around: Around


async def look(args: Args, look: Look) -> Scene:
    """See how the members are, whether the host is fit, and how the others are configured."""
    layout(look.inventory.clusters[args.cluster].platform)
    hosts = await with_hosts(args.cluster, look)
    seen, target = find(hosts.view, args.member)
    gone = None if seen.health is Health.HEALTHY else target.id
    new = await look_at_newcomer(hosts, _chosen(args, hosts, target), look, without=gone)
    return Scene(new, await look_around(hosts, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Remove and add, or add and remove; then see that all are well."""
    hosts, spare = scene.new.hosts, scene.new.spare
    view = hosts.view
    seen, row = find(view, args.member)
    forbid_while_corrupt(view)
    forbid_while_full(view)
    old, expect = identity(row), condition(seen)
    run.title = f"Replace member {old.name or old.id} of {args.cluster} by one on {spare.host.name}"
    _allow(scene, old, expect, run)
    forbid_loopback(view, apart_from=old.id)
    check_fit(scene.new)
    voting = quorum.voters(view.members)
    after = len(voting) + row.learner  # the new one votes in the end
    run.fact(
        f"Quorum: now {quorum.healthy(voting)} of {len(voting)} healthy, tolerance "
        f"{quorum.tolerance(view.members)}; afterwards {after} of {after}, "
        f"tolerance {(after - 1) // 2}."
    )
    run.fact(f"Member {old.shown}, peer {', '.join(old.peer_urls)}, is {expect}.")
    run.fact(
        f"{spare.host.name} ({spare.host.address}, machine {spare.machine.machine_id}) gets "
        f"{scene.new.peer_url}."
    )
    admission = Admission(args.cluster, scene.new, run)
    leaving = _Leaving(args.cluster, scene, old, expect, run)
    admission.reachable()
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster, not_from=old))
    admission.prepare()
    ahead = None
    if expect is Condition.HEALTHY:
        admission.join()
        ahead = tell_ahead(scene.around, row, run, joined(scene.around, scene.new))
        leaving.remove()
    else:
        leaving.remove()
        admission.join()
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    cluster, name = hosts.cluster, old.name or old.id
    others = without(cluster, view, old.id)
    admission.record(
        f"Expect {spare.host.name} in place of {name}",
        dict(cluster.endpoints) if others is None else others,
    )
    _, gone = find(view, old.id)
    admission.forget(gone)
    tell_all(scene.around, scene.new, run, without=gone, ahead=ahead)
    leaving.switch_off()


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Writes how the old member goes."""

    cluster: ClusterName
    scene: Scene
    old: Identity
    expect: Condition
    run: Runbook

    def remove(self) -> None:
        """Take the old one out."""
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

    def switch_off(self) -> None:
        """End its etcd where its host answers, unless the new one lives there.

        Last of all: what broke the member may break this too, and must not keep the new one out.
        """
        _, gone = find(self.scene.new.hosts.view, self.old.id)
        if home_of(gone, self.scene.new.hosts) != self.scene.new.spare.host:
            switch_off(self.cluster, self.scene.around.homes, gone, self.run)


def _chosen(args: Args, hosts: Hosts, target: ListedMember) -> Host:
    """Find the host that gets the member. Raises UsageError and Refused."""
    host = spare_host(hosts, args.with_, "with --with")
    if host.name != target.name and has_member(host, hosts.view):
        message = f"{host.name} has a member already."
        raise Refused(message)
    return host


def _allow(scene: Scene, old: Identity, expect: Condition, run: Runbook) -> None:
    view = scene.new.hosts.view
    members = view.members
    if hint := unfinished(view, scene.new.spare.host, apart_from=old.id):
        raise Refused(hint)
    others = not_well(view, apart_from=old.id)
    instead = "Bring that back first."
    if others:
        instead = (
            f"Bring {' and '.join(others)} back first; what is dead for good goes by /etcd member "
            "remove, and comes back by /etcd scale-up."
        )
    if expect is Condition.FAILED:
        run.require(
            quorum.may_remove(members, old.id), "Where quorum is lost, restore from a snapshot."
        )
        rest = tuple(member for member in members if member.id != old.id)
        run.require(quorum.may_add(rest, learner=True), instead)
        return
    if scene.new.spare.host.name == old.name:
        message = f"{old.name} is healthy: its own host cannot get another member. Name a spare."
        raise Refused(message)
    if len(quorum.voters(members)) == 1:
        message = (
            f"{old.name} is the only member. Let {scene.new.spare.host.name} join first: /etcd "
            f"scale-up {scene.new.spare.host.name}; then /etcd member remove {old.name} --to-one."
        )
        raise Refused(message)
    run.require(quorum.may_add(members, learner=True), instead)


PROCEDURE = Procedure(
    "etcd replace", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)
