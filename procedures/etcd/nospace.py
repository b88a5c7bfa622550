"""Get an etcd cluster out of NOSPACE: compact, defragment, take the alarm back. (catalogue N1)

Source: etcd's maintenance guide on space quotas; rule R15. It works while etcd refuses writes.
"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy, WriteAndRead
from procedures.actions.etcd.save_snapshot import SaveSnapshot
from procedures.actions.etcd.space import Compact, DisarmNospace, TellSpace
from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.defrag import defragment_all, warn_of_old_versions
from procedures.etcd.observe import listed, observed
from procedures.etcd.view import NOSPACE, View, overlooking
from procedures.model import quorum
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook
from procedures.model.quorum import Health

_INSTEAD = "Bring back what is not well first, or stop its etcd: one that is down is left out."


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster."""

    cluster: ClusterName


async def look(args: Args, look: Look) -> View:
    """See the alarms, how the members are, and that there is a place for the snapshot."""
    look.inventory.retention_of(look.inventory.clusters[args.cluster])
    return await observed(args.cluster, look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """Save a snapshot, drop old versions, give free space back, disarm, and write."""
    cluster = args.cluster
    run.title = f"Get {cluster} out of NOSPACE"
    _require_alarm(cluster, view)
    if not view.quorum_proven:
        message = (
            f"{cluster} has no quorum (R14): an alarm cannot be taken back. Bring back members "
            "with the data that is there first."
        )
        raise Refused(message)
    view = overlooking(view, NOSPACE)
    rows = [(seen, row) for seen, row in listed(view) if not row.learner]
    members = [identity(row) for seen, row in rows if seen.health is not Health.DOWN]
    for member in members:
        ruling = quorum.may_defragment(view.members, member.id, writes_refused=True)
        run.require(ruling, _INSTEAD)
    run.fact("NOSPACE is on: the cluster refuses all writes. How full it is: /etcd health.")
    run.fact("Compaction drops all older versions of keys for good; the snapshot keeps them.")
    run.fact("A member serves nobody while its file is written anew.")
    for seen, row in rows:
        if seen.health is Health.DOWN:
            run.fact(f"Member {identity(row).shown} is down: it is left out, and reads may wait.")
    warn_of_old_versions(view, run)
    run.step("Save and verify a snapshot", SaveSnapshot(cluster), gives="snapshot")
    sizes = run.step("Tell what fills the space", TellSpace(cluster), gives="size")
    run.step("Drop old versions", Compact(cluster))
    defragment_all(cluster, members, run, sizes=sizes)
    run.step("Take the alarm back, if there is space", DisarmNospace(cluster))
    if len(members) == len(rows):
        run.step("Check that all members are healthy", CheckHealthy(cluster))
    run.step("Check that the cluster takes writes", WriteAndRead(cluster))


PROCEDURE = Procedure("etcd nospace", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}")


def _require_alarm(cluster: ClusterName, view: View) -> None:
    kinds = {alarm.kind for alarm in view.alarms}
    if "CORRUPT" in kinds:
        message = (
            f"A member of {cluster} has raised CORRUPT (R16): nothing is changed before people "
            "know which members hold the true data."
        )
        raise Refused(message)
    if NOSPACE in kinds:
        return
    if not any(seen.probe and isinstance(seen.probe.alarms, tuple) for seen in view.seen):
        message = f"No member of {cluster} told its alarms. Look at its health first."
        raise Refused(message)
    message = (
        f"No member of {cluster} has raised NOSPACE (R15): there is nothing to do. "
        "Free space in data files is given back by /etcd defrag."
    )
    raise Refused(message)
