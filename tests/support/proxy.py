"""A TCP proxy on loopback whose connections a test cuts, or lets hang."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Forwards to a port. `cut_after` cuts each connection after so many bytes from the server.

    What is forwarded takes `delay_s` each way.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.accepted = 0
        self.cut_after: int | None = None
        self.delay_s = 0.0
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    async def open(self) -> None:
        """Accept connections, at the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Cut all connections, without a word to either side."""
        for writer in self._writers:
            writer.transport.abort()

    async def close(self) -> None:
        """Accept none any more, and cut those that there are."""
        if self._server is not None:
            self._server.close()
            self.thaw()
            self.cut()
            await asyncio.gather(*self._tasks)
            await self._server.wait_closed()
            self._server = None

    def freeze(self) -> None:
        """Forward nothing any more; connections stay."""
        self._flows.clear()

    def thaw(self) -> None:
        """Forward again."""
        self._flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        ours = {writer}
        self._writers.add(writer)
        try:
            there, to_there = await asyncio.open_connection("127.0.0.1", self._target)
            ours.add(to_there)
            self._writers.add(to_there)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, to_there, None))
                group.create_task(self._forward(there, writer, self.cut_after))
        except* OSError:
            pass
        finally:
            for each in ours:
                each.transport.abort()
                with suppress(OSError):
                    await each.wait_closed()
            self._writers -= ours
            self._tasks.discard(task)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None
    ) -> None:
        passed = 0
        while chunk := await reader.read(64 * 1024):
            await self._flows.wait()
            passed += len(chunk)
            if most is not None and passed > most:
                raise ConnectionAbortedError
            if self.delay_s:
                asyncio.get_running_loop().call_later(self.delay_s, writer.write, chunk)
                continue
            writer.write(chunk)
            await writer.drain()
        raise ConnectionAbortedError


@asynccontextmanager
async def proxy(target: int) -> AsyncIterator[Proxy]:
    """A proxy that is open."""
    made = Proxy(target)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
