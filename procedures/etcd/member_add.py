"""Add a member to an etcd cluster, as a learner unless said otherwise. (catalogue N4, P54)

Source: etcd's runtime reconfiguration guide; the checks of OpenShift's clustermembercontroller.
The new member is started by people, with what the run prints; `member promote` comes last.
"""

import re
from dataclasses import dataclass

from procedures.actions.etcd.add_member import AddMember
from procedures.actions.etcd.check_healthy import WriteAndRead
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.engine.ports import Look
from procedures.etcd.observe import listed, observed
from procedures.etcd.peer_urls import peer_url, require_free
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import ClusterName
from procedures.model.plan import Ref, Risk, Undo
from procedures.model.procedure import Procedure, Runbook

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


@dataclass(frozen=True, slots=True)
class Args:
    """The name that the new member will be started with, and its one peer URL.

    `voter` gives it a vote at once, which counts before it has started.
    """

    cluster: ClusterName
    name: str
    peer_url: str
    voter: bool = False


async def look(args: Args, look: Look) -> View:
    """See who is a member, how each of them is, and that there is a place for the snapshot."""
    look.inventory.retention_of(look.inventory.clusters[args.cluster])
    return await observed(args.cluster, look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """Save a snapshot, add, and see that the cluster takes writes."""
    url, name = peer_url(args.peer_url), _name(args.name)
    run.title = f"Add {name} to {args.cluster} as a {'voter' if args.voter else 'learner'}"
    require_free(view, url)
    for seen, row in listed(view):
        if name in {row.name, row.id}:
            dead = seen.health is quorum.Health.DOWN
            hint = "Remove that one first (R4)." if dead else "Take another name."
            message = f"{name} is the name of member {row.id} ({seen.health}) already. {hint}"
            raise Refused(message)
    forbid_while_corrupt(view)
    ruling = quorum.may_add(view.members, learner=not args.voter)
    run.require(
        ruling, "Bring back or remove what is not well first; a dead one is never added to."
    )
    _tell(view, ruling, run, voter=args.voter)
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster), gives="snapshot")
    number = len(run.steps) + 1
    member = Ref(number, "id")
    run.step(
        f"Add {name}",
        AddMember(args.cluster, name, url, learner=not args.voter),
        gives="id",
        undo=Undo(
            f"/etcd member remove {member}",
            "etcd member remove",
            {"cluster": args.cluster, "member": member},
        ),
    )
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))


PROCEDURE = Procedure(
    "etcd member add", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)


def _tell(view: View, ruling: quorum.Ruling, run: Runbook, *, voter: bool) -> None:
    count = len(quorum.voters(view.members))
    now = f"{count} of {count} voters healthy, tolerance {quorum.tolerance(view.members)}"
    if not voter:
        run.fact(f"Quorum: {now}; a learner has no vote, so that stays.")
        run.fact("Once it is started and has caught up: /etcd member promote.")
        return
    run.fact(
        f"Quorum: now {now}; afterwards {count} of {count + 1}, tolerance "
        f"{ruling.tolerance_after} until the new one works."
    )
    if count % 2:
        run.fact(f"{count + 1} voters tolerate no more than {count} (R8): add or remove one soon.")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        message = (
            f"{text!r} is no name for a member. One is of letters, digits, dots and dashes, and "
            "begins with a letter or digit."
        )
        raise UsageError(message)
    return text
