"""What may be done to the membership of an etcd cluster without losing quorum.

Pure functions over what is known of the members. A member of whom nothing certain is known never
counts as healthy. The rule numbers (R2 removal, R3 addition, R5 one change at a time, R6
learners, R9 leader, R10 rolling order) are the ones that refusals name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from procedures.model.ids import MemberId

_IN_SYNC_PERCENT = 90
"""etcd itself wants a learner to be that far before it gets a vote."""


class Health(StrEnum):
    """What is known of one member."""

    HEALTHY = "healthy"  # served the read that its role allows, and has no alarm
    ALARMED = "alarmed"  # served the read, and has an alarm
    DOWN = "down"  # proven not to serve
    UNKNOWN = "unknown"  # the asker cannot tell


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the rules see it. `name` is for words; a member that never started has none."""

    id: MemberId
    name: str
    health: Health
    learner: bool = False
    started: bool = True
    leader: bool = False

    @property
    def shown(self) -> str:
        """What people call it: a member that never started has only an id."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a change is safe now, by which rule, and with which figures.

    `tolerance_after` is how many voters may fail after the change, None where it is refused.
    """

    allowed: bool
    rule: str
    because: str
    tolerance_after: int | None = None


def quorum(voters: int) -> int:
    """How many of the voters must agree."""
    return voters // 2 + 1


def voters(members: Iterable[Member]) -> tuple[Member, ...]:
    """The members that vote."""
    return tuple(member for member in members if not member.learner)


def healthy(members: Iterable[Member]) -> int:
    """How many of the members are healthy."""
    return sum(member.health is Health.HEALTHY for member in members)


def tolerance(members: Sequence[Member]) -> int:
    """How many healthy voters may fail before quorum is lost; negative when it is."""
    voting = voters(members)
    return healthy(voting) - quorum(len(voting))


def may_remove(members: Sequence[Member], target: MemberId, *, to_one: bool = False) -> Ruling:
    """R2: may this member be removed? `to_one` accepts that a healthy pair becomes one."""
    member = _find(members, target)
    voting = voters(members)
    refusal = _cannot_commit(voting) or _unfinished_change(members, apart_from=target)
    if refusal is not None:
        return refusal
    if member.learner:
        return Ruling(
            allowed=True,
            rule="R2",
            because=f"{member.shown} is a learner and has no vote",
            tolerance_after=tolerance(members),
        )
    return _may_remove_voter(member, voting, to_one=to_one)


def _may_remove_voter(member: Member, voting: Sequence[Member], *, to_one: bool) -> Ruling:
    rest = tuple(voter for voter in voting if voter.id != member.id)
    if not rest:
        return _refused("R2", f"{member.shown} is the only voter")
    needed = quorum(len(rest))
    started = sum(voter.started for voter in rest)
    if started < needed:
        return _refused("R2", f"it would leave {started} started of {len(rest)}, quorum {needed}")
    left = healthy(rest)
    if left < needed:
        return _refused("R2", f"it would leave {left} healthy of {len(rest)}, quorum {needed}")
    if len(rest) == 1 and not to_one:
        return _refused("R2", "it would leave a single member, which may not fail")
    return Ruling(
        allowed=True,
        rule="R2",
        because=f"it leaves {left} healthy of {len(rest)}, quorum {needed}",
        tolerance_after=left - needed,
    )


def may_add(members: Sequence[Member], *, learner: bool) -> Ruling:
    """R3: may a member be added now, as a learner or as a voter?"""
    voting = voters(members)
    refusal = _cannot_commit(voting) or _unfinished_change(members) or _unfit(members)
    if refusal is not None:
        return refusal
    if learner:
        return Ruling(
            allowed=True,
            rule="R3",
            because="all members are healthy, and a learner has no vote",
            tolerance_after=tolerance(members),
        )
    needed = quorum(len(voting) + 1)
    if len(voting) < needed:
        return _refused("R6", "a second voter would stop all writes until it starts: add a learner")
    return Ruling(
        allowed=True,
        rule="R3",
        because=f"{len(voting)} healthy, quorum of {len(voting) + 1} is {needed}",
        tolerance_after=len(voting) - needed,
    )


def may_promote(
    members: Sequence[Member], target: MemberId, index: int | None, leader_index: int | None
) -> Ruling:
    """R6, R3: may this learner get a vote?

    `index` is how far it is in the log, `leader_index` how far the leader is; None: nobody knows.
    """
    member = _find(members, target)
    voting = voters(members)
    refusal = (
        _no_learner(member)
        or _cannot_commit(voting)
        or _unfinished_change(members, apart_from=target)
        or _unfit(members)
        or _lag(member, index, leader_index)
    )
    if refusal is not None:
        return refusal
    after = len(voting) + 1
    return Ruling(
        allowed=True,
        rule="R6",
        because=f"{member.shown} is healthy and has caught up",
        tolerance_after=after - quorum(after),
    )


def all_serve_or_none(members: Iterable[Member]) -> bool:
    """Tell whether no voter can be spared, ever: of one or two, quorum is all of them."""
    count = len(voters(members))
    return quorum(count) == count


def may_restart(members: Sequence[Member], target: MemberId, *, outage: bool = False) -> Ruling:
    """R10: may this member be stopped for a moment? A member that is down may always come back.

    `outage` accepts that nobody serves meanwhile, where no voter can be spared and all are healthy.
    """
    member = _find(members, target)
    voting = voters(members)
    needed = quorum(len(voting))
    if member.learner or member.health is Health.DOWN:
        kind = "is a learner and has no vote" if member.learner else "is down already"
        return Ruling(
            allowed=True,
            rule="R10",
            because=f"{member.shown} {kind}",
            tolerance_after=tolerance(members),
        )
    left = healthy(voter for voter in voting if voter.id != target)
    if left < needed and outage and all_serve_or_none(members) and healthy(voting) == len(voting):
        return Ruling(
            allowed=True,
            rule="R10",
            because=f"nobody serves meanwhile, which is accepted; {needed} of {needed} are healthy",
            tolerance_after=left - needed,
        )
    if left < needed:
        return _refused("R10", f"it would leave {left} healthy of {len(voting)}, quorum {needed}")
    return Ruling(
        allowed=True,
        rule="R9" if member.leader else "R10",
        because=(
            "it is the leader: last, after leadership has moved"
            if member.leader
            else f"{left} healthy of {len(voting)} stay, quorum {needed}"
        ),
        tolerance_after=left - needed,
    )


def may_readdress(members: Sequence[Member], target: MemberId, *, restarts: bool) -> Ruling:
    """R5: may this member's peer URL change? Nothing else may be unfinished.

    Where it `restarts` for that, no other member may be down; it itself may.
    """
    _find(members, target)
    voting = voters(members)
    refusal = _cannot_commit(voting) or _unfinished_change(members, apart_from=target)
    if refusal is not None:
        return refusal
    unfit = [
        each.shown for each in members if each.id != target and each.health is not Health.HEALTHY
    ]
    if unfit and restarts:
        return _refused("R5", f"{_listed(unfit)} must be healthy first")
    return Ruling(
        allowed=True,
        rule="R5",
        because="nothing else is unfinished",
        tolerance_after=tolerance(members),
    )


def may_lead(members: Sequence[Member], target: MemberId) -> Ruling:
    """R9: may leadership move to this member? Only to a voter that serves, so has caught up."""
    member = _find(members, target)
    voting = voters(members)
    if member.learner:
        return _refused("R9", f"{member.shown} is a learner, which never leads")
    if member.health is not Health.HEALTHY:
        return _refused("R9", f"{member.shown} is {member.health}, and only a healthy voter leads")
    return Ruling(
        allowed=True,
        rule="R9",
        because=f"{member.shown} is a healthy voter",
        tolerance_after=healthy(voting) - quorum(len(voting)),
    )


def may_defragment(
    members: Sequence[Member], target: MemberId, *, writes_refused: bool = False
) -> Ruling:
    """R11: may this member stop serving for as long as its data file is written anew?

    All members must be healthy, and enough of them left. Where `writes_refused` anyway, because
    there is no space, members that are down and learners may be there, and reads may wait.
    """
    member = _find(members, target)
    voting = voters(members)
    needed = quorum(len(voting))
    if member.learner:
        return _refused("R11", f"{member.shown} is a learner, which takes no such call")
    if not writes_refused and (refusal := _unfinished_change(members)):
        return refusal
    fit = {Health.HEALTHY, Health.DOWN} if writes_refused else {Health.HEALTHY}
    unfit = [each.shown for each in voting if each.health not in fit]
    if unfit or member.health is not Health.HEALTHY:
        return _refused("R11", f"{_listed(unfit or [member.shown])} must be healthy first")
    if healthy(voting) < needed:
        return _refused("R14", f"{healthy(voting)} healthy of {len(voting)}, quorum {needed}")
    left = healthy(voting) - 1
    if left < needed and not writes_refused:
        return _refused(
            "R11", f"it would leave {left} serving of {len(voting)}, quorum {needed}, for a while"
        )
    return Ruling(
        allowed=True,
        rule="R11",
        because=f"{left} serving of {len(voting)} stay, quorum {needed}",
        tolerance_after=left - needed,
    )


def rolling_order(members: Sequence[Member]) -> tuple[Member, ...]:
    """R10: in which order members are restarted: the dead first, the leader last."""
    return tuple(
        sorted(members, key=lambda member: (member.health is not Health.DOWN, member.leader))
    )


def _cannot_commit(voting: Sequence[Member]) -> Ruling | None:
    needed = quorum(len(voting))
    alive = healthy(voting)
    if alive >= needed:
        return None
    if alive + sum(voter.health is Health.ALARMED for voter in voting) >= needed:
        return _refused("R15", f"{alive} healthy of {len(voting)}: clear the alarms first")
    return _refused(
        "R14", f"{alive} healthy of {len(voting)}, quorum {needed}: no change can be committed"
    )


def _unfinished_change(
    members: Sequence[Member], apart_from: MemberId | None = None
) -> Ruling | None:
    for member in members:
        if member.id == apart_from or (member.started and not member.learner):
            continue
        what = "is still a learner" if member.started else "was added and has never started"
        return _refused("R5", f"{member.shown} {what}: finish that change first")
    return None


def _unfit(members: Sequence[Member]) -> Ruling | None:
    unfit = [member.shown for member in members if member.health is not Health.HEALTHY]
    return _refused("R3", f"{_listed(unfit)} must be healthy first") if unfit else None


def _no_learner(member: Member) -> Ruling | None:
    if not member.learner:
        return _refused("R6", f"{member.shown} is a voter already")
    if not member.started:
        return _refused("R6", f"{member.shown} was added and has never started")
    return None


def _lag(member: Member, index: int | None, leader_index: int | None) -> Ruling | None:
    if index is None or leader_index is None:
        return _refused("R6", f"nobody can tell whether {member.shown} has caught up")
    if index * 100 >= leader_index * _IN_SYNC_PERCENT:
        return None
    where = f"at entry {index:,} of the leader's {leader_index:,}"
    return _refused("R6", f"{member.shown} is {where}, and has to be at {_IN_SYNC_PERCENT} %")


def _refused(rule: str, because: str) -> Ruling:
    return Ruling(allowed=False, rule=rule, because=because)


def _find(members: Sequence[Member], target: MemberId) -> Member:
    for member in members:
        if member.id == target:
            return member
    message = f"there is no member with the id {target}"
    raise LookupError(message)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
