"""The calls of etcd's API that are in use, each from request to value."""

import time

from bot.targets.etcd import faults
from bot.targets.etcd.channel import Link
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.wire import etcd_pb2 as pb
from procedures.model.ids import hex_id
from procedures.model.probe import Alarm, HashKv, ListedMember, Read, Status

_KEY = b"quorumbot/health"
"""Need not exist: looking for it takes the same round of agreement."""


async def status(link: Link, deadline: Deadline) -> Status:
    """What the member knows about itself; answered from memory, also without quorum."""
    reply = await link.call(
        "/etcdserverpb.Maintenance/Status",
        "a status call",
        pb.StatusRequest(),
        pb.StatusReply,
        deadline,
    )
    return Status(
        member_id=hex_id(reply.header.member_id),
        cluster_id=hex_id(reply.header.cluster_id),
        version=reply.version,
        leader=hex_id(reply.leader) if reply.leader else None,
        learner=reply.is_learner,
        raft_term=reply.raft_term,
        raft_index=reply.raft_index,
        raft_applied_index=reply.raft_applied_index,
        revision=reply.header.revision,
        db_size=reply.db_size,
        db_size_in_use=reply.db_size_in_use,
        quota=reply.db_size_quota or None,
        storage_version=reply.storage_version or None,
        errors=tuple(reply.errors),
    )


async def read(link: Link, deadline: Deadline) -> Read:
    """Read through raft; from the member's own data where it is a learner."""
    try:
        return await _range(link, deadline, linearizable=True)
    except faults.LearnerError:
        return await _range(link, deadline, linearizable=False)


async def members(link: Link, deadline: Deadline) -> tuple[ListedMember, ...]:
    """The member list as the member knows it, which needs no quorum."""
    reply = await link.call(
        "/etcdserverpb.Cluster/MemberList",
        "a question for the member list",
        pb.MemberListRequest(linearizable=False),
        pb.MemberListReply,
        deadline,
    )
    return tuple(
        ListedMember(
            id=hex_id(member.id),
            name=member.name,
            peer_urls=tuple(member.peer_urls),
            client_urls=tuple(member.client_urls),
            learner=member.is_learner,
        )
        for member in reply.members
    )


async def alarms(link: Link, deadline: Deadline) -> tuple[Alarm, ...]:
    """The alarms of all members. Even listing them goes through raft, so it needs a quorum."""
    reply = await link.call(
        "/etcdserverpb.Maintenance/Alarm",
        "a question for alarms",
        pb.AlarmRequest(),
        pb.AlarmReply,
        deadline,
    )
    return tuple(Alarm(hex_id(alarm.member_id), _alarm_kind(alarm.alarm)) for alarm in reply.alarms)


async def hash_kv(link: Link, revision: int, deadline: Deadline) -> HashKv:
    """Hash the member's key space up to a revision; it reads all of it."""
    reply = await link.call(
        "/etcdserverpb.Maintenance/HashKV",
        "a request to hash its data",
        pb.HashKvRequest(revision=revision),
        pb.HashKvReply,
        deadline,
    )
    return HashKv(revision, reply.compact_revision, reply.hash)


async def _range(link: Link, deadline: Deadline, *, linearizable: bool) -> Read:
    kind = "linearizable" if linearizable else "serializable"
    request = pb.RangeRequest(key=_KEY, limit=1, count_only=True, serializable=not linearizable)
    began = time.perf_counter_ns()
    await link.call("/etcdserverpb.KV/Range", f"a {kind} read", request, pb.RangeReply, deadline)
    return Read((time.perf_counter_ns() - began) // 1000, linearizable)


def _alarm_kind(number: int) -> str:
    known = {value: name for name, value in pb.AlarmType.items()}
    return known.get(number, str(number))
