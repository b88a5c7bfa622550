"""Machines over SSH."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from bot.targets.ssh import words
from bot.targets.ssh.exchange import BrokenError
from bot.targets.ssh.following import Follower
from bot.targets.ssh.links import Links
from bot.targets.ssh.placing import Placer
from bot.targets.ssh.talk import PATIENCE_MS, Talker, Verb, unexpected
from bot.targets.ssh.words import READ_BYTES, FaultError
from procedures.engine.hosts import ASK_MS, Transcript
from procedures.model.errors import InDoubt, QuorumbotError
from procedures.model.host import (
    Ended,
    FileSeen,
    Lost,
    Machine,
    Mark,
    NeverStarted,
    Running,
    Said,
    Trace,
)
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.paths import STATE, writable
from procedures.model.probe import Fault, FaultKind

T = TypeVar("T")

_STOP_MS = 60_000
_LATE_S = 5.0


class SshHosts:
    """Implements `HostLook` and `HostAct` of `procedures.engine.hosts`.

    `state` is the folder that the wrapper keeps on a machine, `patience_ms` how long one that was
    reached, and is not any more, is tried again.
    """

    def __init__(
        self,
        *,
        state: str = STATE,
        patience_ms: int = PATIENCE_MS,
        writable: Callable[[Platform], tuple[str, ...]] = writable,
    ) -> None:
        self._links = Links()
        self._talker = Talker(self._links, state, patience_ms)
        self._placer = Placer(self._talker, writable)

    async def machine(self, cluster: Cluster, host: Host) -> Machine | Fault:
        """Tell who it is."""
        try:
            verb = Verb("machine", limit_ms=ASK_MS)
            answer = await _once_more(lambda: self._talker.once(cluster, host, verb))
        except FaultError as error:
            return error.fault
        except (BrokenError, TimeoutError):
            return words.overdue(host, "cat /etc/machine-id", ASK_MS).fault
        if len(answer) != 5 or answer[0] != "machine" or not all(answer):
            message = f"{words.label(host)} does not tell its machine id, from /etc/machine-id."
            return Fault(FaultKind.SERVER, message)
        return Machine(*answer[1:4])

    async def ask(
        self, cluster: Cluster, host: Host, argv: Sequence[str], limit_ms: int = ASK_MS
    ) -> Said | Fault:
        """Run a command that changes nothing."""
        late = words.overdue(host, argv[0], limit_ms).fault
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(limit_ms / 1000 + _LATE_S):
                began = loop.time()
                said = await _once_more(lambda: self._asked(cluster, host, argv, limit_ms))
        except FaultError as error:
            return error.fault
        except (BrokenError, TimeoutError):
            return late
        over = (loop.time() - began) * 1000 >= limit_ms
        return late if over and said.status in {124, 137} else said

    async def read(self, cluster: Cluster, host: Host, path: str) -> FileSeen | Fault | None:
        """Read a regular file of at most 1 MiB."""
        late = words.overdue(host, f"cat {path}", ASK_MS).fault
        try:
            async with asyncio.timeout(ASK_MS / 1000):
                return await _once_more(lambda: self._placer.read(cluster, host, path))
        except FaultError as error:
            return error.fault
        except (BrokenError, TimeoutError):
            return late

    async def run(
        self,
        cluster: Cluster,
        host: Host,
        mark: Mark,
        argv: Sequence[str],
        *,
        limit_ms: int,
        transcript: Transcript,
        stdin: bytes = b"",
    ) -> Ended:
        """Start a command, or find it, and follow it to its end."""
        what = words.work(argv[0])
        follower = Follower(self._talker, cluster, host, mark, transcript, what)
        return await follower.run(argv, limit_ms, stdin)

    async def settle(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """Look for a piece of work; what was not started never will be."""
        return await self._trace(cluster, host, mark, Verb("settle", (mark.run, mark.key)))

    async def stop(self, cluster: Cluster, host: Host, mark: Mark) -> Trace:
        """End a piece of work with all its processes, and make sure that it is gone.

        Gives Running where not even KILL ends it: a process waits for a device.
        """
        verb = Verb("stop", (mark.run, mark.key), limit_ms=_STOP_MS)
        return await self._trace(cluster, host, mark, verb)

    async def write(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        content: bytes,
        *,
        was: str | None,
        mode: int = 0o600,
    ) -> None:
        """Put a file in the place of what `was`, at once."""
        await self._placer.write(cluster, host, path, content, was=was, mode=mode)

    def fetch(self, cluster: Cluster, host: Host, path: str) -> AsyncIterator[bytes]:
        """Stream a file from a machine."""
        return self._placer.fetch(cluster, host, path)

    async def send(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        mode: int = 0o600,
    ) -> str:
        """Stream into a new file, whole or not at all."""
        return await self._placer.send(cluster, host, path, chunks, mode)

    async def forget(self, cluster: Cluster, host: Host, run: RunId) -> None:
        """Remove what is kept of a run."""
        what = f"clearing up after {run}"
        answer = await self._talker.surely(cluster, host, what, Verb("forget", (run,)))
        if answer == ["busy"]:
            raise words.still_running(host, run)
        if answer[:1] == ["failed"]:
            raise words.failed(host, what, " ".join(answer[1:]))
        if answer != ["forgotten"]:
            raise unexpected(host, what, answer)

    async def close(self) -> None:
        """Close all connections; what runs on machines goes on."""
        await self._links.close()

    async def _asked(
        self, cluster: Cluster, host: Host, argv: Sequence[str], limit_ms: int
    ) -> Said:
        verb = Verb("ask", (f"{max(limit_ms, 1) / 1000:.3f}", *argv))
        out = bytearray()
        async with self._talker.begin(cluster, host, verb) as exchange:
            exchange.feed_end()
            async for chunk in exchange.out():
                out += chunk[: READ_BYTES - len(out)]
        assert exchange.status is not None  # noqa: S101 (else it would have been broken)
        return Said(exchange.status, _text(bytes(out)), _text(exchange.errors[:READ_BYTES]))

    async def _trace(self, cluster: Cluster, host: Host, mark: Mark, verb: Verb) -> Trace:
        what = f"{mark.run} {mark.key}"
        try:
            answer = await self._talker.surely(cluster, host, what, verb)
        except InDoubt:
            raise
        except QuorumbotError as error:
            raise words.not_asked(host, what, str(error)) from error
        match answer:
            case ["ended", status, _]:
                return Ended(int(status))
            case ["running", _]:
                return Running()
            case ["never"]:
                return NeverStarted()
            case ["lost", _]:
                return Lost()
            case _:
                raise unexpected(host, what, answer)


async def _once_more(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask again where the connection breaks: it may have been dead for long, unnoticed."""
    try:
        return await ask()
    except BrokenError:
        return await ask()


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")
