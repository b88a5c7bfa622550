"""Changes to the cluster in memory: what etcd checks first, and what waits for quorum."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from bot.targets.etcd.model import Condition, FakeCluster, FakeMember
from procedures.model.ids import MemberId, MemberName
from procedures.model.probe import Alarm

T = TypeVar("T")

_CHUNK_BYTES = 32 * 1024
_PAGE_BYTES = 512


class RefusedError(Exception):
    """etcd turned a call away, in these words."""


class UnansweredError(Exception):
    """etcd took a call and gives no answer."""


def settle(model: FakeCluster) -> None:
    """Carry out what was sent without quorum, if there is one by now."""
    while model.waiting and model.quorum:
        with suppress(RefusedError):
            model.waiting.pop(0)()


def remove(model: FakeCluster, member: MemberId) -> None:
    """Take a member out, by etcd's own rules (R2), now or when there is quorum."""
    target = _find(model, member)
    if target is not None and not target.learner:
        others = [voter for voter in model.voters if voter is not target]
        if sum(voter.started for voter in others) < len(others) // 2 + 1:
            raise RefusedError("re-configuration failed due to not enough started members")
        active = sum(voter.works for voter in model.voters)
        if target.works and active - 1 < 1 + len(others) // 2:
            raise RefusedError("unhealthy cluster")
    _propose(model, partial(_remove, model, member))


def update(model: FakeCluster, member: MemberId, peer_urls: Sequence[str]) -> None:
    """Set a member's peer URLs, now or when there is quorum."""
    _propose(model, partial(_update, model, member, tuple(peer_urls)))


def move_leader(model: FakeCluster, asked: FakeMember, to: MemberId) -> None:
    """Let another lead; one that is down never takes over, and is waited for."""
    if model.leader is not asked:
        raise RefusedError("not leader")
    target = _find(model, to)
    if target is None or target.learner:
        raise RefusedError("bad leader transferee")
    if not target.works:
        raise UnansweredError
    model.hand_over(target)


def add(model: FakeCluster, peer_urls: Sequence[str], *, learner: bool) -> MemberId:
    """Add a member that has not started, by etcd's own rules (R3), now or when there is quorum.

    etcd learns that a frozen member is gone only after a while; here, never.
    """
    started = sum(voter.started for voter in model.voters)
    if not learner and len(model.voters) > 1 and started < (len(model.voters) + 1) // 2 + 1:
        raise RefusedError("re-configuration failed due to not enough started members")
    _need_all_connected(model)
    return _propose(model, partial(_add, model, tuple(peer_urls), learner=learner))


def promote(model: FakeCluster, member: MemberId) -> None:
    """Give a learner a vote, by etcd's own rules (R6), now or when there is quorum."""
    target = _find(model, member)
    if target is not None:
        behind = model.raft_index if not target.started else target.raft_behind
        if behind > model.raft_index // 10:
            words = "can only promote a learner member which is in sync with leader"
            raise RefusedError(words)
    _need_all_connected(model)
    _propose(model, partial(_promote, model, member))


def compact(model: FakeCluster, revision: int) -> None:
    """Drop old versions, now or when there is quorum."""
    _propose(model, partial(_compact, model, revision))


def defragment(asked: FakeMember) -> None:
    """Give free pages back; it needs nobody else."""
    _notice(asked)
    asked.db_size = asked.db_size_in_use


def disarm(model: FakeCluster, alarm: Alarm) -> None:
    """Take an alarm back, now or when there is quorum."""

    def take_back() -> None:
        model.alarms = [each for each in model.alarms if each != alarm]

    _propose(model, take_back)


def write_and_delete(model: FakeCluster, asked: FakeMember) -> None:
    """Write a key and delete it, which is all that a canary leaves behind.

    A member that is asked to write although its data file is full raises the alarm again.
    """
    if not model.quorum:
        raise UnansweredError
    if asked.metrics.quota is not None and asked.db_size >= asked.metrics.quota:
        model.alarms = list(dict.fromkeys([*model.alarms, Alarm(asked.id, "NOSPACE")]))
    alarms = {alarm.kind for alarm in model.alarms}
    if "CORRUPT" in alarms:
        raise RefusedError("corrupt cluster")
    if "NOSPACE" in alarms:
        raise RefusedError("mvcc: database space exceeded")
    model.revision += 2
    model.raft_index += 3
    for member in model.members.values():
        _notice(member)


def snapshot(model: FakeCluster, member: FakeMember) -> Iterator[bytes]:
    """Give a file as long as the member's data, in whole pages, and its SHA-256."""
    left = -(-member.db_size // _PAGE_BYTES) * _PAGE_BYTES
    digest = hashlib.sha256()
    while left > 0:
        seed = hashlib.sha256(f"{model.revision}/{left}".encode()).digest()
        chunk = (seed * (_CHUNK_BYTES // len(seed)))[:left]
        left -= len(chunk)
        digest.update(chunk)
        yield chunk
    yield digest.digest()


def _need_all_connected(model: FakeCluster) -> None:
    if any(not each.started or each.condition is Condition.STOPPED for each in model.voters):
        raise RefusedError("unhealthy cluster")


def _propose(model: FakeCluster, change: Callable[[], T]) -> T:
    if not model.quorum:
        model.waiting.append(change)
        raise UnansweredError
    return change()


def _add(model: FakeCluster, peer_urls: tuple[str, ...], *, learner: bool) -> MemberId:
    if any(url in other.peer_urls for other in model.members.values() for url in peer_urls):
        raise RefusedError("Peer URLs already exists")
    if learner and any(other.learner for other in model.members.values()):
        raise RefusedError("too many learner members in cluster")
    member = model.add(
        MemberName(f"at {peer_urls[0]}"), "https://unstarted.invalid:2379", learner=learner
    )
    member.started, member.peer_urls = False, peer_urls
    return member.id


def _promote(model: FakeCluster, member: MemberId) -> None:
    target = _known(model, member)
    if not target.learner:
        raise RefusedError("can only promote a learner member")
    target.learner = False


def _compact(model: FakeCluster, revision: int) -> None:
    if revision > model.revision:
        raise RefusedError("mvcc: required revision is a future revision")
    if revision <= model.compact_revision:
        raise RefusedError("mvcc: required revision has been compacted")
    model.compact_revision = revision
    for member in model.members.values():
        member.dropped += member.history
        member.history = 0


def _notice(member: FakeMember) -> None:
    member.db_size_in_use -= member.dropped
    member.dropped = 0


def _remove(model: FakeCluster, member: MemberId) -> None:
    del model.members[_known(model, member).name]


def _update(model: FakeCluster, member: MemberId, peer_urls: tuple[str, ...]) -> None:
    target = _known(model, member)
    others = [other for other in model.members.values() if other is not target]
    if any(url in other.peer_urls for other in others for url in peer_urls):
        raise RefusedError("Peer URLs already exists")
    target.peer_urls = peer_urls


def _known(model: FakeCluster, member: MemberId) -> FakeMember:
    found = _find(model, member)
    if found is None:
        raise RefusedError("member not found")
    return found


def _find(model: FakeCluster, member: MemberId) -> FakeMember | None:
    return next((one for one in model.members.values() if one.id == member), None)
