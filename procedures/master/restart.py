"""Restart API servers and controllers, one master after another. (catalogue P47; X6, X7)"""

from dataclasses import dataclass

from procedures.actions.host.check_api import CheckApi
from procedures.engine.ports import Look
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.master.masters import Masters, look_at_masters, require_masters, restart_parts
from procedures.model.errors import Refused, UsageError
from procedures.model.ids import ClusterName
from procedures.model.master import Part
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Of which cluster; `host` is one of its masters, all of them where it is None."""

    cluster: ClusterName
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster with its hosts, and its masters."""

    hosts: Hosts
    masters: Masters


async def look(args: Args, look: Look) -> Scene:
    """See what runs on the masters. Raises Refused where none is configured."""
    require_masters(args.cluster, look)
    names = look.inventory.clusters[args.cluster].masters
    if args.host is not None and args.host not in names:
        message = f"{args.host!r} is not among the masters of {args.cluster}: {', '.join(names)}."
        raise UsageError(message)
    hosts = await with_hosts(args.cluster, look)
    return Scene(hosts, await look_at_masters(hosts, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Restart what runs on each; the next only when this one serves."""
    cluster = args.cluster
    run.title = f"Restart the API server and controllers on {args.host or f'masters of {cluster}'}"
    if not scene.hosts.view.quorum_proven:
        message = f"{cluster} has no quorum: an API server that starts now does not serve (R14)."
        raise Refused(message)
    chosen = [each for each in scene.masters.seen if args.host in {None, each.host.name}]
    for name, why in (scene.masters.silent or {}).items():
        if args.host in {None, name}:
            message = f"{name} cannot be looked at: {why} Name one of the others, or bring it back."
            raise Refused(message)
    _tell_missing(scene.masters, run)
    for each in scene.masters.seen:
        if each not in chosen and each.healthz:
            title = f"Check that the API server on {each.host.name} serves"
            run.step(title, CheckApi(cluster, each.at, each.healthz))
    for each in chosen:
        if not each.parts:
            message = (
                "Neither an API server nor controllers that are known here run on "
                f"{each.host.name}."
            )
            raise Refused(message)
        restart_parts(cluster, each, each.healthz, run)


def _tell_missing(masters: Masters, run: Runbook) -> None:
    """Say where nobody serves now: such a master is not waited for, and there may be no other."""
    missing = [each.host.name for each in masters.seen if Part.API not in each.parts]
    missing += masters.silent or {}
    if missing:
        run.fact(
            f"No API server is seen to run on {' and '.join(sorted(missing))}: where that leaves "
            "one, nobody serves while it restarts."
        )


PROCEDURE = Procedure(
    "master restart", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
