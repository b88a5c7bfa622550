"""Remove a member of an etcd cluster; the others keep quorum. (catalogue P48, P49)

Where the configuration says how hosts are reached, all that names the member goes with it.
"""

from dataclasses import dataclass, replace

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.expect import Expect
from procedures.actions.etcd.leadership import EnsureNotLeader
from procedures.actions.etcd.remove_member import RemoveMember
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import condition, identity
from procedures.engine.ports import Look
from procedures.etcd.alarms import forbid_while_full
from procedures.etcd.ansible import note_members
from procedures.etcd.around import Around, look_around, point_all, tell_ahead, tell_to_forget
from procedures.etcd.asked import voters
from procedures.etcd.expected import without
from procedures.etcd.hosts import reached, with_hosts
from procedures.etcd.leaving import switch_off, tell_the_others
from procedures.etcd.observe import find, listed, not_well, observed
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.unfinished import only_to_start
from procedures.etcd.unused import find_unused
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import UsageError
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.member import Condition
from procedures.model.plan import Risk, Undo
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id; with `unused` the only one that nobody uses.

    `to_one` accepts that a healthy pair becomes a single member, which may not fail.
    """

    cluster: ClusterName
    member: str | None = None
    to_one: bool = False
    unused: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """The members as they are, and as they are expected; None where no host is reached."""

    cluster: Cluster
    view: View
    around: Around | None


async def look(args: Args, look: Look) -> Sight:
    """See who is a member, how each of them is, and that there is a place for the snapshot."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    if not reached(cluster):
        return Sight(cluster, await observed(args.cluster, look), None)
    hosts = await with_hosts(args.cluster, look)
    return Sight(cluster, hosts.view, await look_around(hosts, look))


def plan(args: Args, sight: Sight, run: Runbook) -> None:
    """Save a snapshot, move leadership away, remove, and see that the others are well."""
    view = sight.view
    wanted = _wanted(args, sight, run)
    seen, row = find(view, wanted)
    member = identity(row)
    run.title = f"Remove member {member.name or member.id} from {args.cluster}"
    forbid_while_corrupt(view)
    forbid_while_full(view)
    ruling = quorum.may_remove(view.members, member.id, to_one=args.to_one)
    run.require(ruling, _instead(view, member.id, to_one=args.to_one))
    expect = condition(seen)
    run.fact(f"Member {member.shown}, peer {', '.join(member.peer_urls)}, is {expect}.")
    run.fact(_quorum(view, ruling))
    unwell = not_well(view, apart_from=member.id)
    if unwell:
        run.fact(f"Not healthy before and after, so not waited for: {', '.join(unwell)}.")
    around = sight.around
    if not sight.cluster.masters and not (around and around.told):
        tell_to_forget(row, run)
    if around and expect is Condition.HEALTHY:
        ahead = tell_ahead(around, row, run)
        around = replace(around, kubernetes=around.kubernetes.apart_from(ahead))
    run.step(
        "Save and verify a snapshot",
        SaveSnapshot(args.cluster, not_from=member),
        gives="snapshot",
    )
    run.step("Hand leadership over if it is there", EnsureNotLeader(args.cluster, member))
    run.step(
        f"Remove {member.name or member.id}",
        RemoveMember(args.cluster, member, expect, args.to_one),
        undo=Undo("A removed id never returns: add the host again as a new, empty member."),
    )
    check = CheckHealthy(args.cluster, without=member, despite=unwell)
    run.step("Check that the others are healthy", check)
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    others = without(sight.cluster, view, row.id)
    if others is not None:
        title = f"Expect {member.name or member.id} no more"
        run.step(title, Expect(args.cluster, sight.cluster.expected.members, others))
    if around:
        stay = [each for _, each in listed(view) if each.id != row.id and each.started]
        peers = {each.name: each.peer_urls[0] for each in stay}
        tell_the_others(args.cluster, around.homes, stay, peers, run)
        note_members(around.ansible, run, leaves=row)
        point_all(around, voters(around.homes.hosts, without=row), member, run)
        # Last of all: what broke the member may break this too.
        switch_off(args.cluster, around.homes, row, run)


PROCEDURE = Procedure(
    "etcd member remove", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)


def _wanted(args: Args, sight: Sight, run: Runbook) -> str:
    """Who is to go. Raises UsageError where not exactly one is said, and Refused."""
    if args.unused == (args.member is not None):
        message = "Say which member is to go, by name or id; or --unused alone."
        raise UsageError(message)
    if args.member is not None:
        return args.member
    row, why = find_unused(sight.cluster, sight.view)
    run.fact(f"{row.name or row.id} is the only unused member: {why}.")
    return row.id


def _quorum(view: View, ruling: quorum.Ruling) -> str:
    voting = quorum.voters(view.members)
    return (
        f"Quorum: now {quorum.healthy(voting)} of {len(voting)} healthy, tolerance "
        f"{quorum.tolerance(view.members)}; afterwards {ruling.because}, "
        f"tolerance {ruling.tolerance_after}."
    )


def _instead(view: View, target: str, *, to_one: bool) -> str:
    """What would satisfy the rule that stands against it."""
    others = [
        seen
        for seen in view.seen
        if seen.listed and seen.listed.id != target and seen.health is not quorum.Health.HEALTHY
    ]
    if added := only_to_start(view):
        return added
    if not view.quorum_proven:
        names = " and ".join(seen.name for seen in view.seen if seen.status is None)
        return f"Bring {names} back first; where that cannot be, restore from a snapshot."
    if others:
        names = " and ".join(seen.name for seen in others)
        return f"Bring {names} back first, or remove what is dead."
    pair = len(view.voters) == 2
    return "Say --to-one if a single member is what you want." if pair and not to_one else ""
