"""Try whether a stored snapshot can really be restored. (catalogue N10; rule R12)

It is restored on the worker's own machine and served there for a few seconds: a host of the cluster
has other things to do with its disk, and some clusters have no hosts that can be reached.
"""

from dataclasses import dataclass

from procedures.actions.etcd.drill_snapshot import DrillSnapshot
from procedures.engine.ports import Look
from procedures.etcd.snapshots import Choice, choose, moment, pinned
from procedures.model.errors import Permanent, Refused, Retryable
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook
from procedures.model.restoring import minor_of


@dataclass(frozen=True, slots=True)
class Args:
    """Which snapshot; None: the one that a restore would take, the newest with quorum."""

    cluster: ClusterName
    snapshot: str | None = None


async def look(args: Args, look: Look) -> Choice:
    """Choose it, and make sure that this machine can try it."""
    choice = await choose(args.cluster, args.snapshot, look)
    assert look.backups is not None  # noqa: S101 (it was found there)
    try:
        fault = await look.backups.drills.fault(choice.snapshot)
    except (Retryable, Permanent) as error:
        raise Refused(str(error)) from error
    if fault is not None:
        raise Refused(fault)
    return choice


def plan(args: Args, choice: Choice, run: Runbook) -> None:
    """One step: what it makes is on one machine, and must not outlive it."""
    snapshot = choice.snapshot
    run.title = f"Drill: restore {snapshot.name} of {args.cluster} aside"
    run.fact(
        f"Snapshot {snapshot.name}, taken {moment(snapshot)} from {snapshot.origin.name} "
        f"(etcd {snapshot.origin.version}): revision {snapshot.revision}, {snapshot.total_keys} "
        "keys."
    )
    for each in choice.passed_over:
        run.fact(f"Newer, and not whole: {each}.")
    run.fact(
        "It is restored on the worker's machine, in a folder that only the worker can enter, and "
        "served on a socket there, with a token of its own. The cluster is not touched."
    )
    if snapshot.origin.hash_kv is None:
        run.fact("Its record has no HashKV, so that is not compared.")
    run.step(
        "Restore it aside, start etcd on it, and compare",
        DrillSnapshot(args.cluster, pinned(snapshot), minor_of(snapshot.origin.version)),
        gives="what it serves",
    )


PROCEDURE = Procedure("etcd drill", Args, look, plan, risk=Risk.READ_ONLY, lock="drill/{cluster}")
