"""A way from loopback here to loopback in another network namespace."""

import asyncio
import contextlib
import ctypes
import os
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.sandbox.ports import LOOPBACK

_CLONE_NEWNET = 0x40000000
_CHUNK = 65_536


@contextlib.asynccontextmanager
async def passage(namespace: Path, port: int) -> AsyncIterator[None]:
    """Connect whoever connects to a port of loopback here to the same port in `namespace`.

    Where nobody listens there, connections are closed at once. Raises OSError: the port is taken.
    """
    loop = asyncio.get_running_loop()
    # A socket belongs to the namespace in which it was made, whoever uses it, so one thread
    # that makes them has to be inside, and nothing else.
    with ThreadPoolExecutor(1, initializer=enter, initargs=(namespace,)) as inside:

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = await loop.run_in_executor(inside, _new_socket)
            try:
                await loop.sock_connect(there, (LOOPBACK, port))
            except OSError:
                there.close()
                await _close(writer)
                return
            far_reader, far_writer = await asyncio.open_connection(sock=there)
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, far_writer))
                group.create_task(_carry(far_reader, writer))

        server = await asyncio.start_server(lead, LOOPBACK, port)
        try:
            yield
        finally:
            server.close()


def enter(namespace: Path) -> None:
    """Move this thread inside, and those that it starts; there is no way back. Raises OSError."""
    file = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(file, _CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(namespace))
    finally:
        os.close(file)


def _new_socket() -> socket.socket:
    made = socket.socket()
    made.settimeout(0)  # as the event loop wants it
    return made


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until one end is closed; then the other is."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
