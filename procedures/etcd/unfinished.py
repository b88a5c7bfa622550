"""Additions that somebody began and did not finish, and what to do about them. (R5, R6, R21)"""

from procedures.etcd.observe import listed
from procedures.etcd.view import Seen, View
from procedures.model import quorum
from procedures.model.ids import MemberId
from procedures.model.inventory import Host
from procedures.model.probe import ListedMember


def unfinished(view: View, host: Host, apart_from: MemberId | None = None) -> str | None:
    """Say what stands in the way of adding a member on a host; None where nothing does.

    Without quorum that is only what would bring it back: nothing can be finished or taken back.
    """
    for seen, row in listed(view):
        if row.id == apart_from or (row.learner and not view.quorum_proven):
            continue
        if not row.started:
            return _never_started(view, row, host)
        if row.learner:
            return _learner(seen, row)
    return None


def only_to_start(view: View) -> str | None:
    """Say whose first start would bring quorum back, where that alone would. (R6, R14)

    An addition takes effect at once: a vote that nobody uses can cost the quorum, and nothing is
    lost then.
    """
    rows = [row for _, row in listed(view) if not (row.started or row.learner)]
    alive = [seen.name for seen in view.voters if seen.status is not None]
    needed = quorum.quorum(len(view.voters))
    if view.quorum_proven or not rows or not len(alive) < needed <= len(alive) + len(rows):
        return None
    added = " and ".join(f"{row.id} (peer {', '.join(row.peer_urls)})" for row in rows)
    one = len(rows) == 1
    return (
        f"{added} {'was' if one else 'were'} added and {'has' if one else 'have'} never started. "
        f"With {' and '.join(alive)}, which {'answers' if len(alive) == 1 else 'answer'}, "
        f"{needed} of {len(view.voters)} would make a quorum, so nothing is lost (R6). Start etcd "
        "there, with ETCD_INITIAL_CLUSTER_STATE=existing and an empty data folder."
    )


def _never_started(view: View, row: ListedMember, host: Host) -> str:
    peer = ", ".join(row.peer_urls)
    what = f"Member {row.id}, peer {peer}, was added and has never started (R5)."
    if not (row.learner or view.quorum_proven):
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
