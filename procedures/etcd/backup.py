"""Save a verified snapshot of an etcd cluster. (catalogue P22)"""

from dataclasses import dataclass

from procedures.actions.etcd.rotate_backups import RotateBackups
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.engine.ports import Look
from procedures.etcd.observe import observe
from procedures.etcd.view import View
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook
from procedures.model.snapshot import Retention


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster."""

    cluster: ClusterName


@dataclass(frozen=True, slots=True)
class Seen:
    """The cluster, and how long its snapshots are kept."""

    view: View
    retention: Retention


async def look(args: Args, look: Look) -> Seen:
    """See whether there is anybody to give a snapshot, and a place for it."""
    cluster = look.inventory.clusters[args.cluster]
    retention = look.inventory.retention_of(cluster)
    return Seen(await observe(cluster, look), retention)


def plan(args: Args, seen: Seen, run: Runbook) -> None:
    """Save and verify; then drop what is older than is kept."""
    view, retention = seen.view, seen.retention
    run.title = f"Back up {args.cluster}"
    if not any(member.status for member in view.seen):
        reasons = "; ".join(member.why for member in view.seen if member.why)
        message = f"No member of {args.cluster} answers (R12). {reasons}"
        raise Refused(message)
    if not view.quorum_proven:
        run.fact("Without quorum: the snapshot may lack what other members have, and is marked so.")
    run.step(
        "Save and verify a snapshot",
        SaveSnapshot(args.cluster, without_quorum=not view.quorum_proven),
        gives="snapshot",
    )
    run.step(
        "Drop backups that are older than is kept",
        RotateBackups(args.cluster, retention.days, retention.distinct_days),
    )


PROCEDURE = Procedure("etcd backup", Args, look, plan, risk=Risk.READ_ONLY, lock="backup/{cluster}")
