"""One sandbox for all end-to-end tests, mended before each; private ones for those who ask."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.browser import artifacts, page
from tests.support.running import mend, running_sandbox
from tests.support.sandbox import Sandbox

__all__ = ["artifacts", "page"]

MakeSandbox = Callable[..., Awaitable[Sandbox]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """The session's sandbox as the last test left it; use `sandbox`."""
    async with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox in which everything is well and nothing is under way."""
    await mend(shared_sandbox)
    return shared_sandbox


@pytest_asyncio.fixture
async def make_sandbox(tmp_path: Path) -> AsyncIterator[MakeSandbox]:
    """Starts a private sandbox with further arguments; it ends with the test."""
    async with AsyncExitStack() as stack:

        async def make(*args: str) -> Sandbox:
            return await stack.enter_async_context(running_sandbox(tmp_path, *args))

        yield make
