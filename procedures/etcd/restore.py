"""Restore a cluster that has lost its quorum from a snapshot. (catalogue P34; R14; X10-X21)

One host is restored first, under a new cluster id; all that can fail is tried before anything is
stopped, and the old data is kept on each host.
"""

from procedures.actions.etcd.check_healthy import WriteAndRead
from procedures.actions.etcd.check_restored import CheckRestored
from procedures.actions.etcd.verify_snapshot import VerifySnapshot
from procedures.actions.host.api_server import StartApi
from procedures.actions.host.data_owner import OwnLikeData
from procedures.actions.host.restore_snapshot import RestoreSnapshot
from procedures.actions.host.run_etcd import StartEtcd
from procedures.actions.host.send_snapshot import RemoveCopy, SendSnapshot
from procedures.engine.ports import Look
from procedures.etcd.growing import Growing, joining, tell
from procedures.etcd.restoring import (
    Args,
    Seen,
    first_host,
    ground,
    require_stoppable,
    see,
    swap_data,
    tell_hosts,
)
from procedures.etcd.snapshots import moment, pinned
from procedures.etcd.standing import Standing
from procedures.etcd.watchers import ask_to_restart
from procedures.model.plan import Risk
from procedures.model.platform import layout
from procedures.model.procedure import Procedure, Runbook
from procedures.model.restoring import BUMP, least_revision


async def look(args: Args, look: Look) -> Seen:
    """See the cluster from here and from its hosts, and read the snapshot again."""
    return await see(args, look)


def plan(args: Args, seen: Seen, run: Runbook) -> None:
    """Try it beside the data; stop all; set the data aside; start one member; check it."""
    loss = ground(args, seen)
    require_stoppable(seen)
    first = first_host(args, seen)
    stopped = [each for each in seen.standing if each.has_etcd(seen.cluster)]
    snapshot, tool, seed = pinned(seen.choice.snapshot), first.tool, first.seed
    assert tool is not None  # noqa: S101 (it was chosen for having one)
    assert first.config is not None  # noqa: S101 (and for having one)
    joins = joining(seen.cluster, first, stopped)
    run.title = f"Restore {args.cluster} from {snapshot.name} on {first.host.name}"
    _facts(args, seen, first, loss, run)
    tell(joins, stopped, run)
    at, platform = seen.at(first), seen.cluster.platform
    data = layout(platform).data
    like = f"{data}/member" if first.member else data
    run.step("Read the snapshot again", VerifySnapshot(args.cluster, snapshot))
    run.step(f"Send it to {first.host.name}", SendSnapshot(args.cluster, at, snapshot))
    run.step(
        "Restore it beside the data, while nothing is stopped yet",
        RestoreSnapshot(args.cluster, platform, at, snapshot, tool, seed),
    )
    run.step("Give it the owner of the data", OwnLikeData(args.cluster, platform, at, like))
    apis = swap_data(args, seen, first, run)
    run.step(f"Start etcd on {first.host.name}", StartEtcd(args.cluster, platform, at))
    run.step(
        "Check that it is the restored cluster",
        CheckRestored(args.cluster, seed, least_revision(snapshot, tool)),
    )
    run.step("Check that the cluster takes writes", WriteAndRead(args.cluster))
    for at_api, name in apis:
        run.step(
            f"Start the API server on {at_api.host}",
            StartApi(args.cluster, platform, at_api, name),
        )
    others = tuple(each for each in joins if each is not first)
    Growing(args.cluster, platform, seed, at, first.config, run).by(others)
    run.step(
        f"Remove the copy of the snapshot on {first.host.name}",
        RemoveCopy(args.cluster, platform, at),
    )
    ask_to_restart(seen.cluster, seen.faults, run)


PROCEDURE = Procedure(
    "etcd restore", Args, look, plan, risk=Risk.DESTRUCTIVE, lock="etcd/{cluster}"
)


def _facts(args: Args, seen: Seen, first: Standing, loss: str, run: Runbook) -> None:
    snapshot = seen.choice.snapshot
    run.fact(loss)
    how = (
        "with quorum"
        if snapshot.origin.quorum
        else "without quorum, so that it may lack what others had"
    )
    run.fact(
        f"Snapshot {snapshot.name}, taken {moment(snapshot)} from {snapshot.origin.name} "
        f"(etcd {snapshot.origin.version}) {how}: revision {snapshot.revision}, "
        f"{snapshot.total_keys} keys, SHA-256 {snapshot.sha256}. "
        "What was written after that revision is lost."
    )
    tell_hosts(args, seen, first, run)
    if first.tool and first.tool.bumps:
        run.fact(f"Revisions grow by {BUMP}, and older ones are marked as compacted.")
