"""A procedure in which people do two of three steps; no product procedure does so yet."""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import WriteAndRead
from procedures.actions.etcd.peer_url import UpdatePeerUrl
from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.observe import find, observed
from procedures.etcd.view import View
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk
from procedures.model.procedure import Procedure, Runbook

OPEN = "Open port 2380 in the cloud firewall"
HOW = "In the cloud console, allow TCP 2380 from 10.0.0.0/24 to demo-1."
CHECK = "the cluster takes writes."
URL = "https://10.9.9.9:2380"


@dataclass(frozen=True, slots=True)
class Args:
    """Which cluster."""

    cluster: ClusterName


async def look(args: Args, look: Look) -> View:
    """See who is a member."""
    return await observed(args.cluster, look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """The first step of people is looked at after, the second one is not."""
    _, row = find(view, "demo-1")
    run.title = f"Let demo-1 of {args.cluster} be reached"
    run.ask(OPEN, how=HOW, check=CHECK, by=WriteAndRead(args.cluster))
    run.step("Set the peer URL", UpdatePeerUrl(args.cluster, identity(row), URL))
    run.ask("Tell the network team", how="Write to them.", check="nothing is looked at.")


PROCEDURE = Procedure(
    "etcd test by people", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)
