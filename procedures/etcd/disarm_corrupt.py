"""Take the alarm CORRUPT back where no data differs any more. (catalogue N5; R16)

An alarm outlives the member that it names, so that one may be left over: of a replacement that was
ended in its middle, or of a member that people replaced by hand. All writes are refused till then.
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.disarm_corrupt import DisarmCorrupt
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.engine.ports import Look
from procedures.etcd.observe import observed
from procedures.etcd.same_data import Compared, alarmed, surely_compared
from procedures.etcd.view import CORRUPT, View
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Of which cluster."""

    cluster: ClusterName


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster, and the hashes of all voters."""

    view: View
    compared: Compared


async def look(args: Args, look: Look) -> Scene:
    """Compare the data of all. Raises Refused where there is no such alarm."""
    cluster = look.inventory.clusters[args.cluster]
    look.inventory.retention_of(cluster)
    view = await observed(args.cluster, look)
    if not alarmed(view):
        message = f"No member of {args.cluster} has raised CORRUPT (R16): there is nothing to do."
        raise Refused(message)
    return Scene(view, await surely_compared(cluster, view, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Compare once more, take the alarm back, and see that the cluster takes writes."""
    cluster, found = args.cluster, scene.compared
    run.title = f"Take the alarm CORRUPT of {cluster} back"
    odd = [found.names[member] for member in found.odd()]
    if odd:
        message = (
            f"The data of {' and '.join(odd)} differs from that of most members (R16): "
            f"{found.said}. Use /etcd replace-corrupt {odd[0]}."
        )
        raise Refused(message)
    if not found.whole:
        silent = [found.names[each] for each, hashed in found.hashes.items() if hashed is None]
        message = (
            f"The data of {' and '.join(silent)} could not be compared (R16): {found.said}. Bring "
            f"it back first; /etcd replace-corrupt {silent[0]} replaces one that stopped itself."
        )
        raise Refused(message)
    run.fact(f"{', '.join(found.names[each] for each in found.hashes)} hold the same data.")
    for alarm in scene.view.alarms:
        if alarm.kind == CORRUPT:
            run.fact(f"CORRUPT names {found.names.get(alarm.member_id, alarm.member_id)}.")
    run.fact("The cluster refuses all writes until the alarm is taken back.")
    snapshot = SaveSnapshot(cluster, despite_corrupt=True)
    run.step("Save and verify a snapshot", snapshot)
    run.step("Compare all members, and take the alarm back", DisarmCorrupt(cluster))
    run.step("Check that all members are healthy", CheckHealthy(cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(cluster))


PROCEDURE = Procedure(
    "etcd disarm-corrupt", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
