"""Real snapshots and a real S3 server, made once for a session, and the worlds made of them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.contract.backups.real import Samples, take_samples
from tests.contract.backups.store import S3Server, running_s3
from tests.contract.backups.worlds import LocalWorld, S3World, s3_world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def samples(
    binary: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Samples:
    """Snapshots of one real cluster."""
    directory = tmp_path_factory.mktemp("samples")
    return await take_samples(directory, binary("etcd"), binary("etcdctl"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def s3_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[S3Server]:
    """One server; each test has a bucket of its own."""
    async with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def local(samples: Samples, binary: Callable[[str], str], tmp_path: Path) -> LocalWorld:
    """A directory."""
    directory = tmp_path / "backups"
    directory.mkdir()
    return LocalWorld(directory, samples, binary("etcdctl"))


@pytest_asyncio.fixture
async def s3(
    s3_server: S3Server, samples: Samples, binary: Callable[[str], str], tmp_path: Path
) -> AsyncIterator[S3World]:
    """A bucket."""
    bucket = f"test-{uuid4().hex}"
    async with s3_world(s3_server, bucket, tmp_path, samples, binary) as world:
        yield world
