"""Each test of the contract runs in memory, in a directory and in a bucket."""

import pytest

from tests.contract.backups.fixtures import local, s3, s3_server, samples
from tests.contract.backups.worlds import MemoryWorld, World

__all__ = ["local", "s3", "s3_server", "samples"]


@pytest.fixture(params=["memory", "local", "s3"])
def world(request: pytest.FixtureRequest) -> World:
    """Backups that are empty."""
    if request.param == "memory":
        return MemoryWorld()
    found: World = request.getfixturevalue(request.param)
    return found
