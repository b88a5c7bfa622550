"""The table of a health answer: one row for each member."""

from procedures.etcd.fragmentation import MIB
from procedures.etcd.view import Seen, View
from procedures.model.ids import MemberId
from procedures.model.probe import Read
from procedures.model.report import MemberRow

UNKNOWN = "unknown"


def rows(view: View) -> tuple[MemberRow, ...]:
    """One row for each member, the ones in trouble with why."""
    return tuple(_row(seen, view.leader) for seen in view.seen)


def role(seen: Seen, leader: MemberId | None) -> str:
    """What a member is to the others, as the member list and the leader have it."""
    if seen.listed is None:
        return UNKNOWN
    if not seen.listed.started:
        return "not started"
    if seen.listed.learner:
        return "learner"
    return "leader" if seen.listed.id == leader else "voter"


def _row(seen: Seen, leader: MemberId | None) -> MemberRow:
    status = seen.status
    read = seen.probe.read if seen.probe else None
    return MemberRow(
        name=seen.name,
        id=seen.listed.id if seen.listed else None,
        health=seen.health,
        role=role(seen, leader),
        read_ms=f"{read.latency_us / 1_000:.1f}" if isinstance(read, Read) else UNKNOWN,
        version=status.version if status else UNKNOWN,
        db=f"{status.db_size / MIB:.1f} MiB" if status else UNKNOWN,
        raft=f"{status.raft_term}/{status.raft_index}" if status else UNKNOWN,
        note=seen.why or "",
    )
