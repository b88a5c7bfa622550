"""Sessions on a connection: sshd counts those that were left until their processes are gone."""

from typing import cast

import asyncssh
import pytest

from bot.targets.ssh.exchange import Exchange
from bot.targets.ssh.links import open_session
from bot.targets.ssh.wrapper import Command


class Full:
    """A connection on which so many sessions are refused first."""

    def __init__(self, refusals: int, *, closed: bool = False) -> None:
        self.refusals = refusals
        self.closed = closed
        self.opened = 0

    async def create_session(self, *_: object, **__: object) -> None:
        if self.refusals:
            self.refusals -= 1
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, "open failed")
        self.opened += 1

    def is_closed(self) -> bool:
        return self.closed


async def opened(connection: Full) -> None:
    command = Command("true", b"nonce")
    where = cast("asyncssh.SSHClientConnection", connection)
    await open_session(where, Exchange(command.nonce), command)


async def test_a_session_that_is_refused_for_a_moment() -> None:
    """It is opened once there is room again."""
    connection = Full(2)
    await opened(connection)
    assert connection.opened == 1


@pytest.mark.parametrize(("refusals", "closed"), [(1_000, False), (1, True)])
async def test_sessions_that_are_refused(refusals: int, closed: bool) -> None:
    """For good, or as the connection is gone: nobody waits for long."""
    connection = Full(refusals, closed=closed)
    with pytest.raises(asyncssh.ChannelOpenError):
        await opened(connection)
    assert connection.opened == 0
