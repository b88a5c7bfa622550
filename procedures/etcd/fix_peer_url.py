"""Correct the URL at which a member's peers reach it. (catalogue P33)"""

from dataclasses import dataclass

from procedures.actions.etcd.check_healthy import CheckHealthy
from procedures.actions.etcd.peer_url import UpdatePeerUrl
from procedures.actions.etcd.target import identity
from procedures.engine.ports import Look
from procedures.etcd.observe import find, observed
from procedures.etcd.peer_urls import peer_url, require_free
from procedures.etcd.same_data import forbid_while_corrupt
from procedures.etcd.view import View
from procedures.model.errors import Refused
from procedures.model.ids import ClusterName
from procedures.model.plan import Risk, Undo
from procedures.model.procedure import Procedure, Runbook


@dataclass(frozen=True, slots=True)
class Args:
    """Which member, by name or hexadecimal id, and its new peer URL."""

    cluster: ClusterName
    member: str
    url: str


async def look(args: Args, look: Look) -> View:
    """See who is a member, and at which URLs."""
    return await observed(args.cluster, look)


def plan(args: Args, view: View, run: Runbook) -> None:
    """Change the URL in the member list, and see that all are well."""
    url = peer_url(args.url)
    _, row = find(view, args.member)
    member = identity(row)
    run.title = f"Set the peer URL of {member.name or member.id} in {args.cluster}"
    if row.learner:
        message = (
            f"{member.shown} is a learner (R6): before etcd 3.5.31 a change of its peer URL makes "
            "it a voter without asking. Promote it first, or remove it."
        )
        raise Refused(message)
    forbid_while_corrupt(view)
    if not view.quorum_proven:
        message = f"{args.cluster} has no quorum (R14): no change of its members can be committed."
        raise Refused(message)
    require_free(view, url, apart_from=row.id)
    if member.peer_urls == (url,):
        message = f"{member.shown} has the peer URL {url} already. There is nothing to do."
        raise Refused(message)
    old = ",".join(member.peer_urls)
    run.fact(f"Member {member.shown}: peer URL {old} becomes {url}.")
    run.step(
        f"Set the peer URL of {member.name or member.id}",
        UpdatePeerUrl(args.cluster, member, url),
        undo=Undo(
            f"/etcd member fix-peer-url {member.id} {old}",
            "etcd member fix-peer-url",
            {"cluster": args.cluster, "member": member.id, "url": old},
        ),
    )
    run.step("Check that all members are healthy", CheckHealthy(args.cluster))


PROCEDURE = Procedure(
    "etcd member fix-peer-url", Args, look, plan, risk=Risk.REVERSIBLE, lock="etcd/{cluster}"
)
