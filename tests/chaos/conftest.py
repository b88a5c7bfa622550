"""A sandbox for each file of tests, mended before each test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.running import mend, running_sandbox
from tests.support.sandbox import Sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    """The file's sandbox as the last test left it; use `sandbox`."""
    async with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest_asyncio.fixture
async def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox in which everything is well and nothing is under way."""
    await mend(shared_sandbox)
    return shared_sandbox
