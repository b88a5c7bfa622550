"""Let masters ask the voters that etcd has now, one master after another. (catalogue P56, P47)"""

from dataclasses import dataclass

from procedures.engine.ports import Look
from procedures.etcd.asked import told_voters
from procedures.etcd.hosts import Hosts, with_hosts
from procedures.master.masters import (
    Masters,
    look_at_masters,
    point_masters,
    require_masters,
    tell_of_service_catalog,
)
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
    """The cluster with its hosts, and its masters."""

    hosts: Hosts
    masters: Masters


async def look(args: Args, look: Look) -> Scene:
    """See who votes, and whom the masters ask. Raises Refused where no master is configured."""
    require_masters(args.cluster, look)
    hosts = await with_hosts(args.cluster, look)
    return Scene(hosts, await look_at_masters(hosts, look))


def plan(args: Args, scene: Scene, run: Runbook) -> None:
    """Write the list and restart what reads it; the next master only when this one serves."""
    run.title = f"Let the masters of {args.cluster} ask the present voters"
    asked = told_voters(scene.hosts, run)
    if not point_masters(args.cluster, scene.masters, asked, run):
        why = " ".join(run.facts[1:]) or "All masters ask the voters already."
        message = f"There is nothing to do. {why}"
        raise Refused(message)
    tell_of_service_catalog(scene.masters, run)


PROCEDURE = Procedure(
    "master set-etcd-urls", Args, look, plan, risk=Risk.DISRUPTIVE, lock="etcd/{cluster}"
)
