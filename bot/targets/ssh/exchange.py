"""One command on a machine: bytes in, bytes out, and the wrapper's answers in between."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import asyncssh

_BUFFER_BYTES = 1024**2
_ERRORS_BYTES = 1024**2


class BrokenError(Exception):
    """The connection is gone before the command's end was seen; it may have been carried out."""


class Exchange(asyncssh.SSHClientSession[bytes]):
    """A command that runs in a session of a connection.

    `opened` tells that the command is on its way. No more is read than is taken.
    """

    def __init__(self, nonce: bytes) -> None:
        self.opened = False
        self.status: int | None = None
        self._begin = nonce + b"\n"
        self._nonce = nonce + b" "
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._out = bytearray()
        self._err = bytearray()
        self._begun = False
        self._paused = False
        self._over = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def answers(self) -> list[list[str]]:
        """What the wrapper said until now, by words."""
        return [
            line[len(self._nonce) :].decode(errors="backslashreplace").split(" ")
            for line in bytes(self._err).split(b"\n")[:-1]
            if line.startswith(self._nonce)
        ]

    @property
    def last(self) -> list[str]:
        """The last of the wrapper's answers; empty where there is none."""
        return next(reversed(self.answers), [])

    @property
    def errors(self) -> bytes:
        """What the command itself wrote to stderr; before it began, the login."""
        _, begun, rest = bytes(self._err).partition(self._begin)
        return rest if begun else bytes(self._err)

    @property
    def begun(self) -> bool:
        """Tell whether the wrapper has begun: else it was the login that failed."""
        return self._begun or self._begin in self._err

    async def out(self) -> AsyncGenerator[bytes, None]:
        """What the command prints, until it ends; BrokenError when the connection does."""
        while True:
            self._news.clear()
            if chunk := self._take():
                yield chunk
            elif self._over:
                if self.status is None:
                    raise BrokenError
                return
            else:
                await self._news.wait()

    async def until_over(self) -> None:
        """Wait for the end; what is printed is dropped."""
        async for _ in self.out():
            pass

    async def until_begun(self) -> bool:
        """Wait for the wrapper; False where the login ended before it. Raises BrokenError."""
        while not self.begun and not self._over:
            self._news.clear()
            await self._news.wait()
        if not self.begun and self.status is None:
            raise BrokenError
        return self.begun

    async def answer(self) -> list[str]:
        """The wrapper's first answer; empty when it ended without one."""
        while not self.answers and not self._over:
            self._news.clear()
            await self._news.wait()
        return next(iter(self.answers), [])

    async def feed(self, data: bytes) -> bool:
        """Give it input; waits while it takes none. False where it takes no more: it is over."""
        await self._writable.wait()
        if self._over or self._channel is None:
            return False
        try:
            self._channel.write(data)
        except BrokenPipeError:
            return False
        return True

    def feed_end(self) -> None:
        """There is no more input."""
        if self._channel is not None and not self._over:
            with suppress(BrokenPipeError):
                self._channel.write_eof()

    def abort(self) -> None:
        """Leave it; what runs on the machine is not ended by this."""
        if self._channel is not None:
            self._channel.abort()

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open: the command is sent next."""
        self._channel = chan
        self.opened = True

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Take in what came."""
        if datatype == asyncssh.EXTENDED_DATA_STDERR:
            if len(self._err) < _ERRORS_BYTES:
                self._err += data
        else:
            self._out += data
            if len(self._out) > _BUFFER_BYTES and self._channel is not None:
                self._paused = True
                self._channel.pause_reading()
        self._news.set()

    def exit_status_received(self, status: int) -> None:
        """The command has ended."""
        self.status = status

    def pause_writing(self) -> None:
        """It takes no more input for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It takes input again."""
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The channel is closed; without a status nobody knows how it ended."""
        self._over = True
        self._news.set()
        self._writable.set()

    def _take(self) -> bytes:
        if not self._begun:
            at = self._out.find(self._begin)
            if at < 0:
                return b""
            del self._out[: at + len(self._begin)]
            self._begun = True
        chunk = bytes(self._out)
        self._out.clear()
        if self._paused and self._channel is not None:
            self._paused = False
            self._channel.resume_reading()
        return chunk
