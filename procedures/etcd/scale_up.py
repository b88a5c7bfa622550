"""Let a host that has no member get one. (catalogue P53-P55, P64, P68; R3-R6, R8, R13, R19, R21)

Sources: openshift-ansible's etcd scale-up, kubespray's join_etcd_member. Both add a voter, and
kubespray's notes start it before it is added; here the host is ready first, then a learner is
added and started, and it votes when it has caught up. So no write waits, from one member on.
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.engine.ports import Look
from procedures.etcd.admission import Admission
from procedures.etcd.alarms import forbid_while_full
from procedures.etcd.around import Around, look_around, tell_all
from procedures.etcd.fitness import check_fit
from procedures.etcd.hosts import Hosts, has_member, member_on, spare_host, with_hosts
from procedures.etcd.newcomer import Newcomer, look_at_newcomer
from procedures.etcd.peer_urls import forbid_loopback, require_free
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.unfinished import unfinished
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.inventory import Host
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook

MOST = 7
"""With more voters each write waits for more of them, and little is won (R8)."""


@dataclass(frozen=True, slots=True)
class Args:
    """The host, by its name in the configuration; the only one without a member if none."""

    cluster: ClusterName
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The host that gets the member, and what is to know of it."""

    new: Newcomer
    around: Around


async def look(args: Args, look: Look) -> Scene:
    """See whether the cluster may grow now, and whether the host is ready for it."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    layout(cluster.platform)
    hosts = await with_hosts(args.cluster, look)
    host = spare_host(hosts, args.host, "after scale-up")
    # Before the host is looked at: what is unfinished there may be the reason why it is not fit.
    may_grow(hosts, host)
    return Scene(await look_at_newcomer(hosts, host, look), await look_around(hosts, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Make it ready, add it as a learner, start it, let it vote; then tell the others."""
    new, hosts, name = scene.new, scene.new.hosts, scene.new.spare.host.name
    run.title = f"Add a member on {name} to {args.cluster}"
    check_fit(new)
    require_free(hosts.view, new.peer_url)
    for line in sizes(hosts.view):
        run.fact(line)
    run.fact(
        f"{name} ({new.spare.host.address}, machine {new.spare.machine.machine_id}) gets "
        f"{new.peer_url}, as a learner first: no write waits for it."
    )
    admission = Admission(args.cluster, new, run)
    admission.reachable()
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster))
    admission.prepare()
    admission.join()
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    admission.record(f"Expect {name} too", dict(hosts.cluster.endpoints))
    tell_all(scene.around, new, run)


PROCEDURE = Procedure(
    "etcd scale-up", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)


def may_grow(hosts: Hosts, host: Host) -> None:
    """R3, R5: all members are well, nothing is unfinished, and this host has none. Refuses."""
    view = hosts.view
    if has_member(host, view):
        row = member_on(host, view)
        message = f"{host.name} has the member {row.name if row else ''} already."
        raise Refused(message)
    if hint := unfinished(view, host):
        raise Refused(hint)
    forbid_while_corrupt(view)
    forbid_while_full(view)
    ruling = quorum.may_add(view.members, learner=True)
    if not ruling.allowed:
        message = (
            f"{ruling.because} ({ruling.rule}). Bring back what is not well first; what is dead is "
            "replaced (/etcd replace) or removed, and nothing is added beside it (R4)."
        )
        raise Refused(message)
    forbid_loopback(view)


def sizes(view: View) -> tuple[str, ...]:
    """Say how many may fail, before and after."""
    before = len(quorum.voters(view.members))
    after = before + 1
    now, then = before - quorum.quorum(before), after - quorum.quorum(after)
    figures = (
        f"Quorum: now {before} of {before} healthy, tolerance {now}; afterwards {after} of "
        f"{after}, tolerance {then}."
    )
    lines = [figures]
    if after % 2 == 0:
        more = " Each of the two has to be there then." if after == 2 else ""
        lines.append(
            f"{after} voters tolerate no more than {before} do (R8): let one more host follow, or "
            f"remove one.{more}"
        )
    if after > MOST:
        lines.append(f"With more than {MOST} voters writes become slower, and little is won (R8).")
    return tuple(lines)
