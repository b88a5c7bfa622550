"""Changes to the cluster in memory: what etcd checks first, and what waits for quorum."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from bot.targets.etcd.model import FakeCluster, FakeMember
from procedures.model.ids import MemberId

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


def write_and_delete(model: FakeCluster) -> None:
    """Write a key and delete it, which is all that a canary leaves behind."""
    if not model.quorum:
        raise UnansweredError
    alarms = {alarm.kind for alarm in model.alarms}
    if "CORRUPT" in alarms:
        raise RefusedError("corrupt cluster")
    if "NOSPACE" in alarms:
        raise RefusedError("mvcc: database space exceeded")
    model.revision += 2
    model.raft_index += 3


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


def _propose(model: FakeCluster, change: Callable[[], None]) -> None:
    if not model.quorum:
        model.waiting.append(change)
        raise UnansweredError
    change()


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
