"""Changing real etcd clusters."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message

from bot.targets.etcd import canary, faults, outcomes, snapshot
from bot.targets.etcd.channel import Link, Reply
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.dial import Address
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.look import unix_ms
from bot.targets.etcd.peer_urls import checked
from bot.targets.etcd.proof import Prover
from bot.targets.etcd.target import Target, aim, label
from bot.targets.etcd.tls import Identities
from bot.targets.etcd.wire import etcd_pb2 as pb
from procedures.model.ids import MemberId, hex_id
from procedures.model.inventory import Cluster
from procedures.model.probe import Alarm

_PATIENCE_MS = 5_000
"""Enough for a round of agreement with an election in between."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What is sent, by `Service/Method`; `what` names it in messages."""

    what: str
    method: str
    request: Message
    limit_ms: int | None = None


class EtcdActor:
    """Implements `procedures.engine.ports.EtcdAct` on gRPC; it belongs to one event loop.

    Each call has a connection of its own, which is proven first, within `cluster.deadline_ms`,
    and then carries that one call, sent once. From then on the call may take `patience_ms`, or
    the cluster's deadline where that is longer. A call that is cancelled on the way is in doubt.
    `now_ms` is Unix time; deadlines run on the loop's own clock.
    """

    def __init__(
        self, now_ms: Callable[[], int] = unix_ms, *, patience_ms: int = _PATIENCE_MS
    ) -> None:
        self._patience_ms = patience_ms
        self._identities = Identities()
        self._prover = Prover(now_ms)

    async def remove_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        """Take a member out of the cluster for good: its id never returns."""
        what = outcomes.removal(member)
        request = pb.MemberRemoveRequest(id=int(member, 16))
        await self._change(cluster, endpoint, _Call(what, "Cluster/MemberRemove", request))

    async def update_peer_urls(
        self, cluster: Cluster, endpoint: str, member: MemberId, peer_urls: Sequence[str]
    ) -> None:
        """Tell the cluster where a member's peers reach it."""
        what = outcomes.new_peer_urls(member)
        request = pb.MemberUpdateRequest(id=int(member, 16), peer_urls=checked(peer_urls, what))
        await self._change(cluster, endpoint, _Call(what, "Cluster/MemberUpdate", request))

    async def move_leader(self, cluster: Cluster, endpoint: str, to: MemberId) -> None:
        """Hand leadership over; `endpoint` is the leader's own."""
        what = outcomes.handover(to)
        request = pb.MoveLeaderRequest(target_id=int(to, 16))
        await self._change(cluster, endpoint, _Call(what, "Maintenance/MoveLeader", request))

    async def add_member(
        self, cluster: Cluster, endpoint: str, peer_urls: Sequence[str], *, learner: bool
    ) -> MemberId:
        """Make room for a member that has not started yet, and give its id."""
        what = outcomes.addition(peer_urls)
        request = pb.MemberAddRequest(peer_urls=checked(peer_urls, what), is_learner=learner)
        call = _Call(what, "Cluster/MemberAdd", request)
        reply = await self._ask(cluster, endpoint, call, pb.MemberAddReply)
        return hex_id(reply.member.id)

    async def promote_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        """Give a learner a vote."""
        what = outcomes.promotion(member)
        request = pb.MemberPromoteRequest(id=int(member, 16))
        await self._change(cluster, endpoint, _Call(what, "Cluster/MemberPromote", request))

    async def compact(
        self, cluster: Cluster, endpoint: str, revision: int, *, limit_ms: int
    ) -> None:
        """Drop what was overwritten or deleted before a revision, and wait until it is dropped."""
        what = outcomes.compaction(revision)
        request = pb.CompactRequest(revision=revision, physical=True)
        with suppress(outcomes.AlreadyDoneError):
            await self._change(cluster, endpoint, _Call(what, "KV/Compact", request, limit_ms))

    async def defragment(self, cluster: Cluster, endpoint: str, *, limit_ms: int) -> None:
        """Write a member's data file anew, without free pages; meanwhile it serves nobody."""
        what, request = outcomes.DEFRAGMENTATION, pb.DefragmentRequest()
        await self._change(
            cluster, endpoint, _Call(what, "Maintenance/Defragment", request, limit_ms)
        )

    async def disarm(self, cluster: Cluster, endpoint: str, alarm: Alarm) -> None:
        """Take an alarm back; no error where it is not on."""
        what = outcomes.disarming(alarm)
        request = pb.AlarmRequest(
            action=pb.DEACTIVATE,
            member_id=int(alarm.member_id, 16),
            alarm=alarm.kind,
        )
        await self._change(cluster, endpoint, _Call(what, "Maintenance/Alarm", request))

    async def snapshot(self, cluster: Cluster, endpoint: str) -> AsyncGenerator[bytes, None]:
        """Stream a snapshot of the key space as it lies in a file: data, then its SHA-256.

        Closing it before its end ends the call.
        """
        async with (
            self._link(cluster, endpoint, outcomes.SNAPSHOT) as link,
            aclosing(snapshot.chunks(link, self._limit_ms(cluster))) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    async def write_and_read(self, cluster: Cluster, endpoint: str, value: str) -> None:
        """Write a canary key of Quorumbot's own, read it back linearizably, and delete it."""
        deadline = Deadline.after(cluster.deadline_ms)
        target, _ = await self._proven(cluster, endpoint, outcomes.CANARY, deadline)
        limit_ms = self._limit_ms(cluster)
        await canary.write_and_read(cluster, endpoint, target.who, value, limit_ms)

    async def close(self) -> None:
        """Give up the threads; connections end with their calls."""
        self._prover.close()

    async def _change(self, cluster: Cluster, endpoint: str, call: "_Call") -> None:
        await self._ask(cluster, endpoint, call, pb.ChangeReply)

    async def _ask(
        self, cluster: Cluster, endpoint: str, call: "_Call", reply: type[Reply]
    ) -> Reply:
        limit_ms = call.limit_ms or self._limit_ms(cluster)
        async with self._link(cluster, endpoint, call.what) as link:
            try:
                path, deadline = f"/etcdserverpb.{call.method}", Deadline.after(limit_ms)
                return await link.send(path, call.request, reply, deadline)
            except grpc.aio.AioRpcError as error:
                raise outcomes.after_sending(
                    link.target.who, call.what, limit_ms, error.code(), error.details()
                ) from error

    @asynccontextmanager
    async def _link(self, cluster: Cluster, endpoint: str, what: str) -> AsyncIterator[Link]:
        """Connect, for one call; raise Retryable where no connection comes about."""
        deadline = Deadline.after(cluster.deadline_ms)
        link = Link(*await self._proven(cluster, endpoint, what, deadline))
        try:
            try:
                await link.connect(deadline)
                if not link.ready:
                    raise faults.unreachable(link.target.who, "the connection broke")
            except FaultError as error:
                raise outcomes.not_sent(what, error.fault) from error
            yield link
        finally:
            await link.close()

    async def _proven(
        self, cluster: Cluster, endpoint: str, what: str, deadline: Deadline
    ) -> tuple[Target, Address]:
        """Find the way to a member, along which nothing has been sent; raise Retryable."""
        try:
            tls = cluster.tls
            identity = await self._identities.get(tls, deadline) if tls else None
            target = aim(endpoint, label(cluster, endpoint), identity)
            return target, await self._prover.prove(target, deadline)
        except FaultError as error:
            raise outcomes.not_sent(what, error.fault) from error

    def _limit_ms(self, cluster: Cluster) -> int:
        return max(self._patience_ms, cluster.deadline_ms)
