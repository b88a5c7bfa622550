"""The "safe now" line: what may be done to the members as they are, by the rules."""

from collections.abc import Sequence

from procedures.etcd.view import View
from procedures.model import quorum
from procedures.model.quorum import Health, Member, Ruling
from procedures.model.report import Advice


def advise(view: View, distrust: str | None) -> tuple[Advice, ...]:
    """Say of each kind of change whether it is safe now, for whom, and by which rule.

    `distrust` says why the data cannot be trusted: then a person decides, and nothing is safe.
    """
    members = view.members
    if distrust is not None:
        why = f"no, {distrust} (R16)"
        return tuple(Advice(change, allowed=False, text=why) for change in _CHANGES)
    if not view.quorum_proven:
        return (_bring_back(view), *_nothing_else())
    return (_restart(members), _remove(members), _add(members))


_CHANGES = ("restart", "remove", "add")


def _restart(members: Sequence[Member]) -> Advice:
    rulings = [(member, quorum.may_restart(members, member.id)) for member in members]
    allowed = [member for member, ruling in rulings if ruling.allowed]
    refused = [ruling for _, ruling in rulings if not ruling.allowed]
    if refused:
        return _some("restart", allowed, refused)
    leader = next((member for member in allowed if member.leader), None)
    last = f"; {leader.shown} last, it leads (R9, R10)" if leader else " (R10)"
    return Advice("restart", allowed=True, text=f"yes, one at a time{last}")


def _remove(members: Sequence[Member]) -> Advice:
    rulings = [(member, quorum.may_remove(members, member.id)) for member in members]
    allowed = [member for member, ruling in rulings if ruling.allowed]
    refused = [ruling for _, ruling in rulings if not ruling.allowed]
    if refused:
        return _some("remove", allowed, refused)
    worst = min((ruling for _, ruling in rulings), key=lambda ruling: ruling.tolerance_after or 0)
    text = f"yes, any one; {worst.because}, tolerance {worst.tolerance_after} ({worst.rule})"
    return Advice("remove", allowed=True, text=text)


def _add(members: Sequence[Member]) -> Advice:
    as_voter = quorum.may_add(members, learner=False)
    if as_voter.allowed:
        return Advice("add", allowed=True, text=f"yes, one ({as_voter.rule})")
    as_learner = quorum.may_add(members, learner=True)
    if as_learner.allowed:
        text = f"as a learner only; {as_voter.because} ({as_voter.rule})"
        return Advice("add", allowed=True, text=text)
    return Advice("add", allowed=False, text=f"no, {as_learner.because} ({as_learner.rule})")


def _some(change: str, allowed: Sequence[Member], refused: Sequence[Ruling]) -> Advice:
    """Some or none may be changed; of several reasons, the first is said."""
    why = f"{_another(refused[0])} ({refused[0].rule})"
    if not allowed:
        return Advice(change, allowed=False, text=f"no, {why}")
    names = " or ".join(member.shown for member in allowed)
    return Advice(change, allowed=True, text=f"only {names}; {why}")


def _bring_back(view: View) -> Advice:
    """Without quorum there is one way that loses nothing: the members that are there, again."""
    down = [seen.name for seen in view.seen if seen.health is Health.DOWN and seen.status is None]
    if not down:
        return Advice("restart", allowed=False, text="no, nobody is proven to be down")
    text = f"only to bring {' and '.join(down)} back with the data that is there"
    return Advice("restart", allowed=True, text=text)


def _nothing_else() -> tuple[Advice, ...]:
    why = "no member has proven that there is quorum (R14)"
    return (
        Advice("remove", allowed=False, text=f"no, {why}"),
        Advice("add", allowed=False, text="no (R14)"),
    )


def _another(ruling: Ruling) -> str:
    """The reason of a ruling on one member, said of any other."""
    if ruling.because.startswith("it would leave"):
        return f"another{ruling.because.removeprefix('it')}"
    return ruling.because
