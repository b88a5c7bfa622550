"""Prove that a member can be spoken to, or say exactly why it cannot.

gRPC has one code for all that can go wrong before a call, and retries behind the scenes. So every
new gRPC channel, and every HTTP request, is preceded by a connection of our own that resolves,
connects, shakes hands and waits for the server's first bytes.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509

from bot.targets.etcd import faults, handshake, tls, trust
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.dial import Address, connect
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.target import Target

_FRAME_HEADER_BYTES = 9
_SETTINGS = 4
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0))
"""A client's first words in HTTP/2, with empty settings. The server answers with its own."""


_PATIENCE = 4
"""A server that speaks TLS is given one part in this many of the time left to speak first; so is
the way to one that swallowed all attempts to connect a moment ago."""

_MOMENT_S = 30.0


@dataclass(frozen=True, slots=True)
class Prover:
    """Connects on its own account. `now_ms` is Unix time."""

    now_ms: Callable[[], int]
    resolver: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(16, thread_name_prefix="etcd-resolver")
    )
    _missed: dict[str, float] = field(default_factory=dict)
    """When connecting used up a whole deadline last, by URL, on the loop's clock."""

    def missed(self, url: str) -> bool:
        """Tell whether a whole deadline was not enough to connect, a moment ago."""
        at = self._missed.get(url)
        return at is not None and at > asyncio.get_running_loop().time() - _MOMENT_S

    async def prove(self, target: Target, deadline: Deadline) -> Address:
        """Give the address at which a server speaks with us; raise `FaultError` if none does."""
        sock, address = await self._connect(target, deadline)
        context = target.identity.http2 if target.identity else None
        try:
            async with handshake.secured(sock, target, context, deadline) as (reader, writer):
                frame = await _first_words(reader, writer, deadline)
        except ssl.SSLCertVerificationError as error:
            leaf = await self._leaf_if_possible(target, deadline)
            raise trust.server_not_trusted(target, error, leaf, self._now()) from error
        except ssl.SSLError as error:
            raise trust.handshake_failed(target, error, self._now()) from error
        if context is None and frame[3:4] != bytes((_SETTINGS,)):
            if await self._leaf_if_possible(target, deadline) is not None:
                raise trust.tls_wanted(target)
            raise trust.not_http2(target) if frame else faults.hangs_up(target.who)
        if not frame:
            raise faults.hangs_up(target.who)
        return address

    async def _connect(self, target: Target, deadline: Deadline) -> tuple[socket.socket, Address]:
        """Connect. A host that is gone is not waited for again and again, for each look in full."""
        short = self.missed(target.url)
        patience = Deadline.after(deadline.duration_ms // _PATIENCE) if short else deadline
        try:
            found = await connect(target, patience, self.resolver)
        except FaultError:
            if not short and not deadline.left_s:
                self._missed[target.url] = asyncio.get_running_loop().time()
            raise
        self._missed.pop(target.url, None)
        return found

    async def leaf(
        self, target: Target, context: ssl.SSLContext, deadline: Deadline
    ) -> x509.Certificate:
        """Read the certificate that a port shows, trusting nothing and sending nothing on it."""
        sock, _ = await connect(target, deadline, self.resolver)
        try:
            async with handshake.secured(sock, target, context, deadline) as (_, writer):
                return handshake.peer_certificate(writer)
        except ssl.SSLError as error:
            raise trust.handshake_failed(target, error, self._now()) from error

    def close(self) -> None:
        """Give up the resolver's threads, without waiting for those that hang."""
        self.resolver.shutdown(wait=False, cancel_futures=True)

    async def _leaf_if_possible(
        self, target: Target, deadline: Deadline
    ) -> x509.Certificate | None:
        context = target.identity.anyone if target.identity else tls.anonymous()
        try:
            return await self.leaf(target, context, deadline)
        except FaultError:
            return None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)


async def _first_words(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deadline: Deadline
) -> bytes:
    """Wait for the server's first frame, and speak first only if it keeps waiting.

    A TLS 1.3 server rejects a client certificate after the handshake, with an alert. Whatever has
    been sent by then turns the end of the connection into a reset, in which the alert is lost.
    """
    frame = asyncio.create_task(_read(reader, _FRAME_HEADER_BYTES))
    try:
        patience = deadline.left_s / _PATIENCE if writer.get_extra_info("ssl_object") else 0
        await asyncio.wait({frame}, timeout=patience)
        if not frame.done():
            writer.write(_PREFACE)
        return await frame
    finally:
        frame.cancel()


async def _read(reader: asyncio.StreamReader, count: int) -> bytes:
    """Read so many bytes, or fewer where the server ends the connection."""
    try:
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError as error:
        return error.partial
