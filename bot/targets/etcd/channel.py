"""gRPC channels to members: kept for a while, and dropped at the first doubt."""

import asyncio
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from bot.targets.etcd import faults
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.dial import Address
from bot.targets.etcd.faults import LinkLostError
from bot.targets.etcd.target import Target

MAX_REPLY_BYTES = 16 * 1024**2
_BROKEN = frozenset({grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN})

Reply = TypeVar("Reply", bound=Message)


class Link:
    """An open channel to one member. `heard_at` is when it last answered, on the loop's clock.

    `users` questions are being asked on it; once `dropped`, it takes no more.
    """

    def __init__(self, target: Target, address: Address) -> None:
        self.target = target
        self.born_at = asyncio.get_running_loop().time()
        self.heard_at = 0.0
        self.users = 0
        self.dropped = False
        self._channel = _open(target, address)

    @property
    def ready(self) -> bool:
        """Tell whether the channel is connected."""
        return self._channel.get_state() is grpc.ChannelConnectivity.READY

    async def connect(self, deadline: Deadline) -> None:
        """Wait for the connection, so that connecting does not count as the latency of a call.

        Returns also when connecting failed: the calls then say why.
        """
        try:
            async with asyncio.timeout_at(deadline.at):
                state = self._channel.get_state(try_to_connect=True)
                while state is not grpc.ChannelConnectivity.READY and state not in _BROKEN:
                    await self._channel.wait_for_state_change(state)
                    state = self._channel.get_state(try_to_connect=True)
        except TimeoutError:
            raise faults.silent(self.target.who, deadline.duration_ms) from None

    async def call(
        self, path: str, what: str, request: Message, reply: type[Reply], deadline: Deadline
    ) -> Reply:
        """Make a call; raise `FaultError`, or `LinkLostError` where the connection broke.

        `what` is the call's name in messages.
        """
        try:
            answer = await self.send(path, request, reply, deadline)
        except grpc.aio.AioRpcError as error:
            fault = faults.from_rpc(self.target.who, what, deadline.duration_ms, error)
            if faults.from_member(error):
                self._heard()
            raise fault from error
        except grpc.aio.UsageError as error:  # the asker is closing
            raise LinkLostError(str(error)) from error
        self._heard()
        return answer

    async def send(
        self, path: str, request: Message, reply: type[Reply], deadline: Deadline
    ) -> Reply:
        """Make a call, once; raise grpc.aio.AioRpcError."""
        method = self._channel.unary_unary(
            path, request_serializer=_serialize, response_deserializer=reply.FromString
        )
        answer: Reply = await method(request, timeout=deadline.left_s)
        return answer

    def stream(
        self, path: str, request: Message, reply: type[Reply]
    ) -> "grpc.aio.UnaryStreamCall[Message, Reply]":
        """Make a call that is answered with a stream, and that has no deadline of its own."""
        method: grpc.aio.UnaryStreamMultiCallable[Message, Reply] = self._channel.unary_stream(
            path, request_serializer=_serialize, response_deserializer=reply.FromString
        )
        return method(request)

    async def close(self) -> None:
        """Close at once; calls under way fail."""
        await self._channel.close(0)

    def _heard(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _open(target: Target, address: Address) -> grpc.aio.Channel:
    """Open a channel to the very address that was proven, without retries or sharing."""
    where = f"{'ipv6' if ':' in address.ip else 'ipv4'}:{address.authority}"
    options: list[tuple[str, str | int]] = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.default_authority", target.authority),
        ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
    ]
    if target.identity is None:
        return grpc.aio.insecure_channel(where, options)
    options.append(("grpc.ssl_target_name_override", target.certificate_name))
    return grpc.aio.secure_channel(where, target.identity.credentials, options)
