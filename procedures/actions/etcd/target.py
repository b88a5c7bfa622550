"""What steps on members have in common: finding the one that is meant, and whom to ask."""

from procedures.etcd.view import Seen, View
from procedures.model.errors import Permanent, Refused
from procedures.model.ids import MemberId
from procedures.model.member import Condition, Identity
from procedures.model.probe import ListedMember, Read
from procedures.model.quorum import Health


def identity(row: ListedMember) -> Identity:
    """Take the marks of a member from the member list."""
    return Identity(row.id, row.name, tuple(sorted(row.peer_urls)))


def condition(seen: Seen) -> Condition:
    """Tell healthy from failed. Raises Refused where nobody can tell."""
    if seen.health is Health.HEALTHY:
        return Condition.HEALTHY
    if seen.health is Health.DOWN:
        return Condition.FAILED
    message = (
        f"Nobody can tell whether {seen.name} is dead: {seen.why} "
        "Look at it, or ask from a place that reaches it."
    )
    raise Refused(message)


def same(view: View, wanted: Identity) -> Seen | None:
    """Find the member that is meant; None when its id is not listed any more.

    One that has not started yet has no name: it tells it when it does.

    Raises Permanent when the id belongs to something else than what was approved (R7).
    """
    for seen in view.seen:
        if seen.listed is None or seen.listed.id != wanted.id:
            continue
        found = identity(seen.listed)
        unnamed = not seen.listed.started and found.peer_urls == wanted.peer_urls
        if found != wanted and not unnamed:
            message = (
                f"Member {wanted.id} is {found.name} at {', '.join(found.peer_urls)} now, and was "
                f"{wanted.name} at {', '.join(wanted.peer_urls)} when it was approved (R7). "
                "Ask again, to have the plan made anew."
            )
            raise Permanent(message)
        return seen
    return None


def contact(view: View, apart_from: MemberId | None = None) -> str:
    """Choose whose endpoint to call: a healthy voter's, the leader's where there is a choice.

    Raises Permanent when there is none.
    """
    able = [
        seen
        for seen in view.voters
        if seen.health is Health.HEALTHY
        and seen.listed
        and seen.listed.id != apart_from
        and seen.probe
        and isinstance(seen.probe.read, Read)
    ]
    if not able:
        message = "No healthy voter is left to call. Look at the cluster's health first."
        raise Permanent(message)
    best = max(able, key=lambda seen: bool(seen.listed and seen.listed.id == view.leader))
    assert best.probe is not None  # noqa: S101 (they were chosen by it)
    return best.probe.endpoint
