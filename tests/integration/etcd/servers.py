"""Servers that behave badly, and a relay that can be made to."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """Serve on a free loopback port; gives the port."""
    open_now: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            await handler(reader, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in open_now:
            writer.transport.abort()
        await server.wait_closed()


async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read for ever."""
    while await reader.read(4096):
        pass


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close at once."""
    writer.close()


async def speak_http1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer everything like an old web server."""
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    await writer.drain()


class Relay:
    """Passes bytes to a server, until connections are frozen or cut; new ones are passed again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._gate = asyncio.Event()
        self._gate.set()
        self._connections: set[asyncio.StreamWriter] = set()
        self.accepted = 0

    def freeze(self) -> None:
        """Pass nothing any more on the connections that are open."""
        self._gate.clear()
        self._gate = asyncio.Event()
        self._gate.set()

    def cut(self) -> None:
        """Break the connections that are open."""
        for writer in self._connections:
            writer.transport.abort()
        self._connections.clear()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        self.accepted += 1
        gate = self._gate
        onward_reader, onward_writer = await asyncio.open_connection(self._host, self._port)
        self._connections |= {writer, onward_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, onward_writer, gate))
                group.create_task(_pass(onward_reader, writer, gate))
        except* OSError:
            pass
        finally:
            onward_writer.transport.abort()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
) -> None:
    while data := await reader.read(65_536):
        await gate.wait()
        writer.write(data)
        await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def shaking_hands(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Shake hands and close, on a thread: asyncio's own servers drop the alert of a rejection."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                pass

    server = socket.create_server(("127.0.0.1", 0))
    serving_thread = asyncio.create_task(asyncio.to_thread(serve, server))
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        await serving_thread
