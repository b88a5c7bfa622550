"""Connections to machines: one for each, shared by what is done there, and let go when idle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from bot.targets.ssh import access as own
from bot.targets.ssh import faults, words
from bot.targets.ssh.exchange import BrokenError, Exchange
from bot.targets.ssh.faults import Way
from bot.targets.ssh.words import FaultError, label
from bot.targets.ssh.wrapper import Command
from procedures.model.inventory import Cluster, Host, Jump, SshAccess
from procedures.model.probe import FaultKind

FOLLOWING, BRIEF = 5, 3
"""Sessions at once on one machine: for what lasts, and for what is over soon. sshd allows 10."""

_IDLE_S = 60.0
_CLOSE_S = 2.0
_FULL_TRIES, _FULL_S = 10, 0.1


@dataclass(slots=True)
class _Link:
    """One machine's connection and its sessions."""

    following: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FOLLOWING))
    brief: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(BRIEF))
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: asyncssh.SSHClientConnection | None = None
    users: int = 0
    idle: asyncio.TimerHandle | None = None

    @property
    def open(self) -> asyncssh.SSHClientConnection | None:
        """The connection, unless it is gone."""
        if self.connection is not None and self.connection.is_closed():
            self.connection = None
        return self.connection


class _Client(asyncssh.SSHClient):
    """Notes that TCP has connected."""

    connected = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:  # noqa: ARG002
        self.connected = True


class Links:
    """All connections of a worker."""

    def __init__(self) -> None:
        asyncssh.set_log_level("ERROR")
        self._links: dict[tuple[SshAccess, Host | Jump], _Link] = {}

    @asynccontextmanager
    async def exchange(
        self, cluster: Cluster, host: Host, command: Command, *, lasts: bool = False
    ) -> AsyncIterator[Exchange]:
        """Send a command. Raises FaultError where it was not sent, BrokenError where it may be.

        The connection is a new one if the last is gone. Leaving ends the session, and nothing on
        the machine.
        """
        if cluster.ssh is None:
            raise words.no_access(cluster)
        link = self._links.setdefault((cluster.ssh, host), _Link())
        slots = link.following if lasts else link.brief
        async with slots, _use(link):
            exchange = Exchange(command.nonce)
            try:
                while not await self._sent(link, cluster, host, exchange, command):
                    pass
                yield exchange
            finally:
                exchange.abort()

    async def close(self) -> None:
        """Close all connections."""
        links, self._links = list(self._links.values()), {}
        for link in links:
            if link.idle is not None:
                link.idle.cancel()
            _close(link)
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                for link in links:
                    if link.connection is not None:
                        await link.connection.wait_closed()

    def drop(self, cluster: Cluster, host: Host) -> None:
        """Let the next command have a new connection; what runs on the old one is broken."""
        if cluster.ssh is not None:
            link = self._links.get((cluster.ssh, host))
            if link is not None and link.connection is not None:
                link.connection.abort()
                link.connection = None

    async def _sent(
        self, link: _Link, cluster: Cluster, host: Host, exchange: Exchange, command: Command
    ) -> bool:
        """Send a command; False where the connection turned out to be dead since its last use."""
        used = link.open is not None
        connection = await self._connected(link, cluster, host)
        try:
            async with asyncio.timeout(cluster.deadline_ms / 1000):
                await open_session(connection, exchange, command)
        except (asyncssh.Error, OSError, TimeoutError) as error:
            if exchange.opened:
                raise BrokenError from error
            if isinstance(error, TimeoutError):
                connection.abort()
            if not used or not connection.is_closed():
                raise _no_session(host, error) from error
            return False
        return True

    async def _connected(
        self, link: _Link, cluster: Cluster, target: Host | Jump
    ) -> asyncssh.SSHClientConnection:
        async with link.connecting:
            if (connection := link.open) is None:
                connection = await self._connect(cluster, target)
                link.connection = connection
            return connection

    async def _connect(self, cluster: Cluster, target: Host | Jump) -> asyncssh.SSHClientConnection:
        access = cluster.ssh
        if access is None:
            raise words.no_access(cluster)
        way = way_to(target, access)
        client = _Client()
        async with AsyncExitStack() as stack:
            chosen = await stack.enter_async_context(own.options(access))
            tunnel = None
            if isinstance(target, Host) and access.jump is not None:
                jump = self._links.setdefault((access, access.jump), _Link())
                tunnel = await self._connected(jump, cluster, access.jump)
            try:
                async with asyncio.timeout(cluster.deadline_ms / 1000):
                    return await _dial(way, client, tunnel, chosen)
            except TimeoutError as error:
                raise faults.late(way, cluster, connected=client.connected) from error
            except (asyncssh.Error, OSError) as error:
                known = isinstance(error, asyncssh.HostKeyNotVerifiable) and await own.expected(
                    access, way.address, way.port
                )
                raise faults.from_connect(way, access, error, known=known) from error


async def _dial(
    way: Way,
    client: _Client,
    tunnel: asyncssh.SSHClientConnection | None,
    chosen: dict[str, Any],
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        way.address,
        way.port,
        username=way.user,
        tunnel=tunnel or (),
        client_factory=lambda: client,
        **chosen,
    )


async def open_session(
    connection: asyncssh.SSHClientConnection, exchange: Exchange, command: Command
) -> None:
    """Open a session. sshd counts one that was left until its process is gone, so try again."""
    for left in reversed(range(_FULL_TRIES)):
        try:
            await connection.create_session(lambda: exchange, command.line, encoding=None)
        except asyncssh.ChannelOpenError:
            if not left or connection.is_closed():
                raise
            await asyncio.sleep(_FULL_S)
        else:
            return


def way_to(target: Host | Jump, access: SshAccess) -> Way:
    """Where a connection goes, and as whom."""
    name = label(target) if isinstance(target, Host) else f"The jump host {target.address}"
    return Way(name, target.address, target.port, target.user or access.user)


def _no_session(host: Host, error: Exception) -> FaultError:
    reason = error.reason if isinstance(error, asyncssh.Error) else "it does not answer"
    message = f"{label(host)} opens no session: {reason.rstrip('.')}."
    return FaultError(FaultKind.UNREACHABLE, message)


@asynccontextmanager
async def _use(link: _Link) -> AsyncIterator[None]:
    link.users += 1
    if link.idle is not None:
        link.idle.cancel()
        link.idle = None
    try:
        yield
    finally:
        link.users -= 1
        if link.users == 0:
            link.idle = asyncio.get_running_loop().call_later(_IDLE_S, _close, link)


def _close(link: _Link) -> None:
    if link.connection is not None:
        link.connection.close()
