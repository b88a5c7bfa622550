"""The contract's worlds as fixtures: each test runs in memory and on a real cluster."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.sandbox.demo.cluster import DemoCluster
from tests.contract.etcd.worlds import MemoryWorld, RealWorld, World
from tests.support.services import MakeCluster

_KINDS = ["memory", "etcd"]
_QUOTA_BYTES = 64 * 1024


@pytest.fixture(params=_KINDS)
def shared_demo(request: pytest.FixtureRequest) -> DemoCluster | None:
    """The session's cluster, whose members tests may stop; None for the twin."""
    cluster: DemoCluster | None = None
    if request.param == "etcd":
        cluster = request.getfixturevalue("etcd_cluster")
    return cluster


@pytest.fixture
async def world(
    shared_demo: DemoCluster | None, binary: Callable[[str], str], tmp_path: Path
) -> AsyncIterator[World]:
    """A healthy cluster, whose members keep their places."""
    if shared_demo is None:
        yield MemoryWorld()
        return
    world = RealWorld(shared_demo, binary("etcdctl"), tmp_path)
    yield world
    await world.close()


@pytest.fixture(params=_KINDS)
async def private_world(
    request: pytest.FixtureRequest,
    make_cluster: MakeCluster,
    binary: Callable[[str], str],
    tmp_path: Path,
) -> AsyncIterator[World]:
    """A cluster for this test alone, with a small quota: members and alarms may change."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    demo = await make_cluster(quota_bytes=_QUOTA_BYTES)
    world = RealWorld(demo, binary("etcdctl"), tmp_path)
    yield world
    await world.close()
