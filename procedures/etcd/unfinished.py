"""Additions that somebody began and did not finish, and what to do about them. (R5, R6, R21)"""

from procedures.etcd.observe import listed
from procedures.etcd.view import Seen, View
from procedures.model import quorum
from procedures.model.inventory import Host
from procedures.model.probe import ListedMember


def unfinished(view: View, host: Host) -> str | None:
    """Say what stands in the way of adding a member on a host; None where nothing does."""
    for seen, row in listed(view):
        if not row.started:
            return _never_started(view, row, host)
        if row.learner:
            return _learner(seen, row)
    return None


def _never_started(view: View, row: ListedMember, host: Host) -> str:
    peer = ", ".join(row.peer_urls)
    what = f"Member {row.id}, peer {peer}, was added and has never started (R5)."
    voters = quorum.voters(view.members)
    if not row.learner and quorum.healthy(voters) < quorum.quorum(len(voters)):
        return (
            f"{what} It has a vote, and without it nothing can be written or removed (R6). Start "
            "etcd on its host, with ETCD_INITIAL_CLUSTER_STATE=existing and an empty data folder."
        )
    theirs = "this host" if f"//{host.address}:" in peer else "its host"
    return (
        f"{what} If nobody is about to start etcd on {theirs}, take the addition back with "
        f"/etcd member remove {row.id}, and ask again."
    )


def _learner(seen: Seen, row: ListedMember) -> str:
    return (
        f"{seen.name} ({row.id}) is still a learner (R5). Let it vote with /etcd member promote "
        f"{seen.name}, or take it out with /etcd member remove {seen.name}; then ask again."
    )
