"""A gRPC server that answers like an etcd in trouble, call by call."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Protocol, TypeAlias

import grpc


class Context(Protocol):
    """What an answer may do besides answering."""

    async def abort(self, code: grpc.StatusCode, details: str) -> NoReturn: ...


Unary = Callable[[bytes, Context], Awaitable[bytes]]
Stream = Callable[[bytes, Context], AsyncIterator[bytes]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(slots=True)
class Scripted:
    """A server at `url`; `calls` are the methods that were called, `ended` those that are over."""

    url: str
    calls: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def count(self, method: str, answer: Unary) -> Unary:
        """Keep the books about calls of a method."""

        async def counted(request: bytes, context: Context) -> bytes:
            self.calls.append(method)
            try:
                return await answer(request, context)
            finally:
                self.ended.append(method)

        return counted

    def count_stream(self, method: str, answer: Stream) -> Stream:
        """Keep the books about calls that are answered with a stream."""

        async def counted(request: bytes, context: Context) -> AsyncIterator[bytes]:
            self.calls.append(method)
            try:
                async for part in answer(request, context):
                    yield part
            finally:
                self.ended.append(method)

        return counted


@contextlib.asynccontextmanager
async def scripted(
    unary: Mapping[str, Unary] | None = None, snapshot: Stream | None = None
) -> AsyncIterator[Scripted]:
    """Serve on a free loopback port, without TLS. `unary` is by `Service/Method`."""
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    script = Scripted(f"http://127.0.0.1:{port}")
    services: dict[str, dict[str, Handler]] = {}
    for path, answer in (unary or {}).items():
        service, method = path.split("/")
        handler: Handler = grpc.unary_unary_rpc_method_handler(script.count(method, answer))
        services.setdefault(service, {})[method] = handler
    if snapshot is not None:
        stream: Handler = grpc.unary_stream_rpc_method_handler(
            script.count_stream("Snapshot", snapshot)
        )
        services.setdefault("Maintenance", {})["Snapshot"] = stream
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(f"etcdserverpb.{service}", methods)
            for service, methods in services.items()
        )
    )
    await server.start()
    try:
        yield script
    finally:
        await server.stop(0)


def failing(code: grpc.StatusCode, details: str) -> Unary:
    """Answer with an error."""

    async def answer(_: bytes, context: Context) -> bytes:
        await context.abort(code, details)

    return answer


async def hang(_request: bytes, _context: Context) -> bytes:
    """Take the call, and never answer."""
    await asyncio.Event().wait()
    raise AssertionError("nobody wakes it")
