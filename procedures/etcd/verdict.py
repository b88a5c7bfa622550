"""What all that is known of a cluster comes down to."""

from collections.abc import Sequence

from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.probe import Fault
from procedures.model.quorum import Health
from procedures.model.report import Figure, Level, Verdict


def judge(view: View, figures: Sequence[Figure]) -> Verdict:
    """Give the verdict.

    One linearizable read proves quorum. "No quorum" is said only where none succeeded and the
    cause lies with the members; where it may lie with the asker, nothing is known.
    """
    if view.quorum_proven:
        spoilt = any(figure.counts and figure.level not in _GOOD for figure in figures)
        well = all(seen.health is Health.HEALTHY for seen in view.voters)
        return Verdict.HEALTHY if well and not spoilt else Verdict.DEGRADED
    return Verdict.NO_QUORUM if _quorum_is_lost(view) else Verdict.UNKNOWN


def count(view: View, verdict: Verdict) -> int:
    """The number in the headline: healthy voters; without quorum those that answered at all."""
    if verdict in {Verdict.NO_QUORUM, Verdict.UNKNOWN}:
        return sum(seen.status is not None for seen in view.voters)
    return sum(seen.health is Health.HEALTHY for seen in view.voters)


def tolerance(view: View) -> int | None:
    """How many more voters may fail. A read that succeeded proves at least 0."""
    if not view.quorum_proven:
        return None
    return max(0, quorum.tolerance(view.members))


def headline(name: str, view: View, verdict: Verdict) -> str:
    """The first words of an answer."""
    members, voters = count(view, verdict), len(view.voters)
    match verdict:
        case Verdict.CHECKING:
            return f"{name}: checking, {members} of {voters} members healthy so far"
        case Verdict.DEGRADED:
            return (
                f"{name}: degraded, {members} of {voters} members, tolerance {tolerance(view) or 0}"
            )
        case Verdict.UNKNOWN:
            return f"{name}: unknown, {members} of {voters} members answered"
        case Verdict.HEALTHY | Verdict.NO_QUORUM:
            return f"{name}: {verdict}, {members} of {voters} members"


_GOOD = frozenset({Level.OK, Level.INFO})


def _quorum_is_lost(view: View) -> bool:
    faults = [
        seen.probe.read for seen in view.voters if seen.probe and isinstance(seen.probe.read, Fault)
    ]
    if any(fault.kind.on_our_side for fault in faults):
        return False
    down = sum(seen.health is Health.DOWN for seen in view.voters)
    voters = len(view.voters)
    outvoted = voters > 0 and down > voters - quorum.quorum(voters)
    # A member that knows no leader speaks for those that it cannot reach either.
    told_by_a_member = any(
        seen.status is not None and seen.status.leader is None for seen in view.voters
    )
    return outvoted or told_by_a_member
