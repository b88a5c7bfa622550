"""Give a learner of an etcd cluster a vote. (catalogue N4; rule R6)

Source: etcd's learner design; the checks of OpenShift's clustermembercontroller.
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.expect import Expect
from procedures.actions.etcd.promote_member import PromoteMember, promotable
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.expected import also
from procedures.etcd.observe import find, observed
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.gates import older
from procedures.model.ids import ClusterName
from procedures.model.inventory import Cluster
from procedures.model.plan import Risk, Undo
from procedures.model.probe import ListedMember
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Which learner, by name or hexadecimal id."""

    cluster: ClusterName
    member: str


@dataclass(frozen=True, slots=True)
class Sight:
    """The members as they are, and as they are expected."""

    cluster: Cluster
    view: View


async def look(args: Args, look: Look) -> Sight:
    """See who is a learner, how far it is, and that there is a place for the snapshot."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    return Sight(cluster, await observed(args.cluster, look))


def plan(args: Args, sight: Sight, run: Runbook) -> None:
    """Save a snapshot, promote, and see that all are well."""
    view = sight.view
    _, row = find(view, args.member)
    member = identity(row)
    run.title = f"Promote {member.name or member.id} of {args.cluster} to a voter"
    forbid_while_corrupt(view)
    ruling = promotable(view, member.id)
    run.require(ruling, "Ask again when that has changed.")
    count = len(quorum.voters(view.members))
    run.fact(f"Member {member.shown}, peer {', '.join(member.peer_urls)}, is a healthy learner.")
    run.fact(
        f"Quorum: now {count} of {count} healthy, tolerance {quorum.tolerance(view.members)}; "
        f"afterwards {count + 1} of {count + 1}, tolerance {ruling.tolerance_after}."
    )
    if count % 2:
        run.fact(f"{count + 1} voters tolerate no more than {count} (R8): add or remove one soon.")
    _tell_of_clients(sight.cluster, row, run)
    _warn_of_old_versions(view, run)
    run.step("Save and verify a snapshot", SaveSnapshot(args.cluster), gives="snapshot")
    run.step(
        f"Promote {member.name}",
        PromoteMember(args.cluster, member),
        undo=Undo(f"A voter never becomes a learner again: /etcd member remove {member.id}."),
    )
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    all_of_them = also(sight.cluster, view, row)
    if all_of_them is not None:
        now = sight.cluster.expected.members
        run.step(f"Expect {member.name} from now on", Expect(args.cluster, now, all_of_them))


PROCEDURE = Procedure(
    "etcd member promote", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)


def _tell_of_clients(cluster: Cluster, row: ListedMember, run: Runbook) -> None:
    """P56: this run changes no list of those who ask etcd."""
    urls = ", ".join(row.client_urls)
    how = "/master set-etcd-urls" if cluster.masters else "add it to their list of etcd servers"
    run.fact(f"API servers and other clients are not told of {urls} by this: {how}, afterwards.")


def _warn_of_old_versions(view: View, run: Runbook) -> None:
    """R6: what was promoted is a learner again for some, after a restart."""
    versions = older((status.version for _, status in view.statuses()), ("3.5.20",))
    faulty = [each for each in versions if each.startswith("3.5.") and each != "3.5.0"]
    if faulty:
        run.fact(
            f"etcd {', '.join(faulty)} does not keep a promotion in its data file (fixed in "
            "3.5.20): see /etcd members after the next restart, and upgrade soon."
        )
