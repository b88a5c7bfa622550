"""Files of machines: read, replaced, fetched and sent."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from bot.targets.ssh import words
from bot.targets.ssh.exchange import BrokenError, Exchange
from bot.targets.ssh.talk import Talker, Verb, unexpected
from bot.targets.ssh.words import READ_BYTES, FaultError
from procedures.model.errors import QuorumbotError
from procedures.model.host import FileSeen
from procedures.model.inventory import Cluster, Host, Platform
from procedures.model.paths import configured, within
from procedures.model.probe import Fault, FaultKind

T = TypeVar("T")

_STALL_S = 60.0
"""So long nothing may come, or be taken, before a transfer has broken off."""

_FRAME_BYTES = 4 * 1024**2
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Placer:
    """Works on files. `writable` says where files may be written, by platform."""

    talker: Talker
    writable: Callable[[Platform], tuple[str, ...]]

    async def read(self, cluster: Cluster, host: Host, path: str) -> FileSeen | None:
        """Read a regular file of at most 1 MiB. Raises FaultError and BrokenError."""
        verb = Verb("read", (path, str(READ_BYTES)))
        async with self.talker.begin(cluster, host, verb) as exchange:
            exchange.feed_end()
            content = b"".join([chunk async for chunk in exchange.out()])
        match exchange.answers:
            case [["none"]]:
                return None
            case [["irregular"]]:
                raise words.not_a_file(host, path)
            case [["file", mode, owner, group, size, context], ["whole", _]]:
                if int(size) > READ_BYTES:
                    raise words.too_large(host, path, int(size))
                label = None if context == "?" else context
                return FileSeen(content, int(mode, 8), owner, group, label)
            case _:
                message = f"{path} on {words.label(host)} cannot be read."
                raise FaultError(FaultKind.SERVER, message)

    async def write(
        self,
        cluster: Cluster,
        host: Host,
        path: str,
        content: bytes,
        *,
        was: str | None,
        mode: int,
    ) -> None:
        """Put a file in the place of what `was`, at once."""
        allowed = self._allowed(cluster, host, path)
        new = hashlib.sha256(content).hexdigest()
        arguments = (path, f"{mode:o}", was or _NOTHING, new, str(len(content)), *allowed)
        verb = Verb("write", arguments, content)
        answer = await self.talker.surely(cluster, host, f"writing {path}", verb)
        match answer:
            case ["written"]:
                return
            case ["changed", found]:
                raise words.changed(host, path, was, None if found == _NOTHING else found)
            case _:
                raise _refusal(host, path, answer)

    async def fetch(self, cluster: Cluster, host: Host, path: str) -> AsyncGenerator[bytes, None]:
        """Stream a file from a machine."""
        received = 0
        try:
            async with self.talker.begin(
                cluster, host, Verb("read", (path, "0")), lasts=True
            ) as it:
                it.feed_end()
                async with aclosing(_steady(it)) as chunks:
                    async for chunk in chunks:
                        received += len(chunk)
                        yield chunk
        except FaultError as error:
            raise words.not_begun(f"reading {path}", error.fault) from error
        except (BrokenError, TimeoutError) as error:
            raise words.broke_off(host, path, received) from error
        match it.answers:
            case [["file", *_], ["whole", size]] if int(size) == received:
                return
            case [["none"] | ["irregular"]]:
                raise words.missing(host, path)
            case _:
                raise words.broke_off(host, path, received)

    async def send(
        self, cluster: Cluster, host: Host, path: str, chunks: AsyncIterator[bytes], mode: int
    ) -> str:
        """Stream into a new file, whole or not at all."""
        what = f"writing {path}"
        allowed = self._allowed(cluster, host, path)
        verb = Verb("send", (path, f"{mode:o}", *allowed))
        whole: str | None = None
        try:
            async with self.talker.begin(cluster, host, verb, lasts=True) as exchange:
                answer = await _within_stall(exchange.answer())
                if answer == ["ready"]:
                    whole = await _pour(exchange, chunks)
                exchange.feed_end()
                await exchange.until_over()
                answer = exchange.last
        except FaultError as error:
            raise words.not_begun(what, error.fault) from error
        except (BrokenError, TimeoutError) as error:
            if whole is None:
                raise words.cut_short(host, path) from error
            return await self._look_for(cluster, host, path, whole)
        match answer:
            case ["sent", sha256]:
                return sha256
            case ["other"]:
                raise words.in_the_way(host, path)
            case ["short"]:
                raise words.cut_short(host, path)
            case _:
                raise _refusal(host, path, answer)

    async def _look_for(self, cluster: Cluster, host: Host, path: str, sha256: str) -> str:
        """It was sent as a whole, and nobody said whether it was stored."""
        what = f"writing {path}"
        verb = Verb("hash", (path,), limit_ms=600_000)
        if await self.talker.surely(cluster, host, what, verb) == ["hash", sha256]:
            return sha256
        fault = Fault(FaultKind.UNREACHABLE, "The connection broke at its end.")
        raise words.lost_sight(host, what, fault)

    def _allowed(self, cluster: Cluster, host: Host, path: str) -> tuple[str, ...]:
        places = (*self.writable(cluster.platform), *configured(cluster, host))
        allowed = (*places, f"{self.talker.state}/files")
        if not within(path, allowed):
            raise words.not_ours(host, path)
        return allowed


async def _pour(exchange: Exchange, chunks: AsyncIterator[bytes]) -> str | None:
    """Send all chunks, each frame with its size before it, and the SHA-256 of them, given too.

    None where the machine takes no more, and says why.
    """
    seen = hashlib.sha256()
    async for chunk in chunks:
        for at in range(0, len(chunk), _FRAME_BYTES):
            frame = chunk[at : at + _FRAME_BYTES]
            seen.update(frame)
            if not await _within_stall(exchange.feed(b"%d\n%b" % (len(frame), frame))):
                return None
    whole = seen.hexdigest()
    await _within_stall(exchange.feed(f"end {whole}\n".encode()))
    return whole


async def _steady(exchange: Exchange) -> AsyncGenerator[bytes, None]:
    """What comes; TimeoutError where nothing does."""
    async with aclosing(exchange.out()) as out:
        while True:
            try:
                chunk = await _within_stall(anext(out))
            except StopAsyncIteration:
                return
            yield chunk


async def _within_stall(waited: Awaitable[T]) -> T:
    async with asyncio.timeout(_STALL_S):
        return await waited


def _refusal(host: Host, path: str, answer: list[str]) -> QuorumbotError:
    match answer:
        case ["folder"]:
            return words.no_folder(host, path)
        case ["escapes", *real]:
            return words.escapes(host, path, " ".join(real))
        case ["irregular"]:
            return words.not_regular(host, path)
        case ["short"]:
            return words.cut_short(host, path)
        case ["failed", *why]:
            return words.failed(host, f"writing {path}", " ".join(why))
        case _:
            return unexpected(host, f"writing {path}", answer)
