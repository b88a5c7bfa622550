"""Defragment an etcd cluster, one member after the other. (catalogue N2; rules R9-R12)

Source: the defragmentation of OpenShift's cluster-etcd-operator (followers first, the leader
last, thresholds, health in between), and ahrtr/etcd-defrag.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import WriteAndRead
from procedures.actions.etcd.defragment import Defragment
from procedures.actions.etcd.leadership import EnsureLeads, EnsureNotLeader
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.fragmentation import Worth, figures, pays
from procedures.etcd.observe import find, listed, observed
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.gates import older
from procedures.model.ids import ClusterName, MemberId
from procedures.model.member import Identity
from procedures.model.plan import Ref, Risk
from procedures.model.procedure import Procedure, Runbook

_FIXED = ("3.4.38", "3.5.23", "3.6.5")


@dataclass(frozen=True, slots=True)
class Args:
    """Only one member, by name or hexadecimal id; all voters when None.

    `anyway` is for members of which there is little to win, too.
    """

    cluster: ClusterName
    member: str | None = None
    anyway: bool = False


async def look(args: Args, look: Look) -> View:
    """See how the members are, and that there is a place for the snapshot."""
    look.inventory.retention_of(look.inventory.clusters[args.cluster])
    return await observed(args.cluster, look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """Save a snapshot; followers first; move leadership; the last one; see that all is well."""
    worth = Worth.ANY if args.anyway else Worth.MUCH
    members = _voters(view) if args.member is None else (identity(find(view, args.member)[1]),)
    whole = args.member is None
    run.title = f"Defragment {args.cluster if whole else f'{members[0].name} of {args.cluster}'}"
    forbid_while_corrupt(view)
    for member in members:
        ruling = quorum.may_defragment(view.members, member.id)
        run.require(ruling, "Bring back or remove what is not well first.")
    _require_gain(view, [member.id for member in members], worth)
    run.fact("A member serves nobody while its file is written anew; the others have quorum.")
    warn_of_old_versions(view, run)
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster), gives="snapshot")
    if whole:
        defragment_all(args.cluster, members, run, worth=worth)
    else:
        (member,) = members
        run.step("Hand leadership over if it is there", EnsureNotLeader(args.cluster, member))
        run.step(f"Defragment {member.name}", Defragment(args.cluster, members, worth=worth))
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))


PROCEDURE = Procedure("etcd defrag", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}")


def defragment_all(
    cluster: ClusterName,
    members: Sequence[Identity],
    run: Runbook,
    *,
    worth: Worth = Worth.MUCH,
    sizes: Ref | None = None,
) -> None:
    """Record a step for each member; before the last one, leadership goes to one that is done."""
    count = len(members)
    if count > 1:
        order = ", ".join(member.shown for member in members)
        run.fact(f"In this order, but whoever leads comes last: {order}.")
    done: list[Ref] = []
    for number in range(1, count + 1):
        last = number == count
        if last and done:
            run.step(
                "Hand leadership to a member that is done",
                EnsureLeads(cluster, tuple(done), despite_nospace=sizes is not None),
            )
        which = f"member {number} of {count}" if count > 1 else members[0].name
        follower = "" if last else ", a follower"
        action = Defragment(cluster, tuple(members), tuple(done), worth, sizes)
        done.append(run.step(f"Defragment {which}{follower}", action, gives="member"))


def warn_of_old_versions(view: View, run: Runbook) -> None:
    """Name the fault of old servers, which the read right before keeps away."""
    faulty = older((status.version for _, status in view.statuses()), _FIXED)
    if faulty:
        run.fact(
            f"etcd {', '.join(faulty)} can damage a member that is defragmented while it takes in "
            "a snapshot of another: each is only begun with after it has served a linearizable "
            "read, and its revision is compared afterwards."
        )


def _voters(view: View) -> tuple[Identity, ...]:
    return tuple(identity(row) for _, row in listed(view) if not row.learner)


def _require_gain(view: View, members: Sequence[MemberId], worth: Worth) -> None:
    """R11. Raises Refused where all of them would be passed over."""
    told = [(seen, status) for seen, status in view.statuses() if status.member_id in members]
    if any(pays(status, worth) for _, status in told):
        return
    found = ", ".join(f"{seen.name} {figures(status)}" for seen, status in told)
    if worth is Worth.ANY:
        message = f"There is nothing to win: {worth.shown}: {found} (R11)."
    else:
        message = f"There is little to win: {found} (R11). Say --anyway to do it all the same."
    raise Refused(message)
