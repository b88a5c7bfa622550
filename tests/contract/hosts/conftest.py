"""The contract's worlds as fixtures: each test runs in memory and on a real sshd."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.hosts.worlds import Gate, MemoryWorld, RealWorld, World
from tests.support.proxy import proxy
from tests.support.sshd import Sshd, sshd, why_not


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[Sshd]:
    """One sshd for all tests; each uses a run of its own on it."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    directory = tempfile.mkdtemp(prefix="quorumbot-sshd-")
    try:
        async with sshd(Path(directory)) as server:
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
async def real(server: Sshd, tmp_path: Path) -> AsyncIterator[RealWorld]:
    """A machine behind sshd."""
    async with proxy(server.port) as way:
        world = RealWorld(server, way, tmp_path)
        try:
            yield world
        finally:
            await world.close()


@pytest.fixture(params=["memory", "sshd"])
def behind(request: pytest.FixtureRequest) -> Sshd | None:
    """The session's server; None for the twin."""
    server: Sshd | None = None
    if request.param == "sshd":
        server = request.getfixturevalue("server")
    return server


@pytest.fixture
async def world(behind: Sshd | None, tmp_path: Path) -> AsyncIterator[World]:
    """A machine that answers."""
    if behind is None:
        twin = MemoryWorld()
        yield twin
        await twin.close()
        return
    async with proxy(behind.port) as way:
        world = RealWorld(behind, way, tmp_path)
        try:
            yield world
        finally:
            await world.close()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """It is closed."""
    return Gate(tmp_path / "gate")
