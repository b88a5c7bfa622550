"""Hand leadership of an etcd cluster over to another member. (catalogue N3; rule R9)

Source: `etcdctl move-leader`, which only the leader itself carries out.
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import WriteAndRead
from procedures.actions.etcd.leadership import EnsureLeads, EnsureNotLeader
from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.observe import find, observed
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk, Undo
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """To whom, by name or hexadecimal id; to the healthy voter furthest in the log when None."""

    cluster: ClusterName
    to: str | None = None


async def look(args: Args, look: Look) -> View:
    """See who leads, and how the others are."""
    return await observed(args.cluster, look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """Hand over, and see that the cluster takes writes under its new leader, if it takes any."""
    forbid_while_corrupt(view)
    if args.to is None:
        _away(args.cluster, view, run)
    else:
        _to(args.cluster, args.to, view, run)
    run.fact("The cluster takes no writes for the moment that it takes: under a second, as a rule.")
    if view.alarms:
        run.fact("An alarm is on, so no write is tried afterwards: see /etcd health.")
    else:
        run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))


PROCEDURE = Procedure(
    "etcd move-leader", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)


def _away(cluster: ClusterName, view: View, run: Runbook) -> None:
    """From the one that leads now: when another leads at the start, people are asked again."""
    rows = (seen.listed for seen in view.seen if seen.listed)
    row = next((row for row in rows if row.id == view.leader), None)
    if row is None:
        message = f"Nobody leads {cluster} now (R9). Look at its health first."
        raise Refused(message)
    leader = identity(row)
    run.title = f"Move leadership of {cluster} away from {leader.name}"
    others = [member for member in quorum.voters(view.members) if member.id != leader.id]
    rulings = [quorum.may_lead(view.members, member.id) for member in others]
    if not rulings:
        message = f"{leader.name} is the only voter (R9): nobody else can lead."
        raise Refused(message)
    best = next((ruling for ruling in rulings if ruling.allowed), rulings[0])
    run.require(best, "Bring another voter back first.")
    run.fact(f"Member {leader.shown} leads.")
    run.step(
        f"Hand leadership over from {leader.name}",
        EnsureNotLeader(cluster, leader),
        undo=Undo(
            f"/etcd move-leader --to {leader.id}",
            "etcd move-leader",
            {"cluster": cluster, "to": leader.id},
        ),
    )


def _to(cluster: ClusterName, wanted: str, view: View, run: Runbook) -> None:
    _, row = find(view, wanted)
    heir = identity(row)
    run.title = f"Move leadership of {cluster} to {heir.name or heir.id}"
    run.require(quorum.may_lead(view.members, heir.id), "Name a healthy voter, or leave --to out.")
    if view.leader == heir.id:
        message = f"{heir.shown} leads already. There is nothing to do."
        raise Refused(message)
    run.fact(f"Member {heir.shown} is a healthy voter.")
    run.step(
        f"Hand leadership over to {heir.name}",
        EnsureLeads(cluster, (heir,)),
        undo=Undo("Ask /etcd move-leader --to MEMBER to move it on."),
    )
