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


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster."""

    cluster: ClusterName


async def look(args: Args, look: Look) -> View:
    """See whether there is anybody to give a snapshot, and quorum."""
    return await observe(look.inventory.clusters[args.cluster], look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """Save and verify; then drop what is older than is kept."""
    run.title = f"Back up {args.cluster}"
    if not any(seen.status for seen in view.seen):
        reasons = "; ".join(seen.why for seen in view.seen if seen.why)
        message = f"No member of {args.cluster} answers (R12). {reasons}"
        raise Refused(message)
    if not view.quorum_proven:
        run.fact("Without quorum: the snapshot may lack what other members have, and is marked so.")
    run.step(
        "Save and verify a snapshot",
        SaveSnapshot(args.cluster, without_quorum=not view.quorum_proven),
        gives="snapshot",
    )
    run.step("Drop backups that are older than is kept", RotateBackups(args.cluster))


PROCEDURE = Procedure("etcd backup", Args, look, plan, risk=Risk.READ_ONLY, lock="backup/{cluster}")
