"""The contract's worlds as fixtures: each test runs in memory and on real clusters, 3.4 and 3.5."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.sandbox.demo.cluster import DemoCluster
from tests.contract.etcd.worlds import MemoryWorld, RealWorld, World
from tests.support.releases import Release
from tests.support.services import MakeCluster, SharedCluster

_QUOTA_BYTES = 64 * 1024


@pytest.fixture(params=["memory", "etcd_34", "etcd_35"])
def release(request: pytest.FixtureRequest) -> Release | None:
    """Which etcd; None for the twin."""
    found: Release | None = None
    if request.param != "memory":
        found = request.getfixturevalue(request.param)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_35(
    etcd_35: Release, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedCluster]:
    """The holder of the session's cluster of 3.5."""
    holder = SharedCluster(etcd_35.etcd, lambda: tmp_path_factory.mktemp("etcd-35"))
    yield holder
    await holder.close()


@pytest.fixture
def shared_holder(request: pytest.FixtureRequest, release: Release | None) -> SharedCluster | None:
    """Of the session's cluster, whose members tests may stop."""
    holder: SharedCluster | None = None
    if release:
        name = "shared_35" if release.minor == "3.5" else "shared_cluster"
        holder = request.getfixturevalue(name)
    return holder


@pytest.fixture
async def world(
    shared_holder: SharedCluster | None, release: Release | None, tmp_path: Path
) -> AsyncIterator[World]:
    """A healthy cluster, whose members keep their places."""
    if shared_holder is None or release is None:
        yield MemoryWorld()
        return
    world = RealWorld(await shared_holder.healthy(), release, tmp_path)
    yield world
    await world.close()


@pytest.fixture
async def private_world(
    release: Release | None, make_cluster: MakeCluster, tmp_path: Path
) -> AsyncIterator[World]:
    """A cluster for this test alone, with a small quota: members and alarms may change."""
    if release is None:
        yield MemoryWorld()
        return
    demo: DemoCluster = await make_cluster(etcd=release.etcd, quota_bytes=_QUOTA_BYTES)
    world = RealWorld(demo, release, tmp_path)
    yield world
    await world.close()
