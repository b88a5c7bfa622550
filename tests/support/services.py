"""Fixtures that run the real etcd and Redis. A missing binary fails a test, it is not skipped."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.sandbox.binaries import MissingBinariesError, find
from bot.sandbox.demo.certificates import Pki
from bot.sandbox.demo.cluster import DemoCluster, StartError
from tests.support.redis import RedisServer, running_redis

_HEALTHY_S = 90


class MakeCluster(Protocol):
    """Starts a private cluster: `DemoCluster.start` with the directory, and etcd, filled in."""

    def __call__(
        self,
        *,
        etcd: str | None = None,
        size: int = 3,
        quota_bytes: int | None = None,
        pki: Pki | None = None,
    ) -> Awaitable[DemoCluster]: ...


@pytest.fixture(scope="session")
def binary() -> Callable[[str], str]:
    """The path of `etcd`, `etcdctl` or `redis-server`."""

    def look(name: str) -> str:
        try:
            return find(name)[name]
        except MissingBinariesError as missing:
            pytest.fail(f"{missing}; `./test` fetches it too", pytrace=False)

    return look


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_redis(
    binary: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RedisServer]:
    """One server for the session, with whatever tests left in it; use `redis_server`."""
    directory = tmp_path_factory.mktemp("redis")
    async with running_redis(binary("redis-server"), directory) as server:
        yield server


@pytest_asyncio.fixture
async def redis_server(shared_redis: RedisServer) -> RedisServer:
    """The session's server, emptied (data, scripts, functions) before the test."""
    async with Redis.from_url(shared_redis.url_with_password) as client:
        await client.flushall()
        await client.script_flush()
        await client.function_flush()
        await client.config_resetstat()
    return shared_redis


@pytest_asyncio.fixture
async def private_redis(binary: Callable[[str], str], tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server for this test alone, which may kill, freeze or misconfigure it."""
    async with running_redis(binary("redis-server"), tmp_path / "redis") as server:
        yield server


@pytest_asyncio.fixture
async def make_cluster(binary: Callable[[str], str], tmp_path: Path) -> AsyncIterator[MakeCluster]:
    """A factory of private clusters, ended with the test."""
    clusters: list[DemoCluster] = []

    async def make(
        *,
        etcd: str | None = None,
        size: int = 3,
        quota_bytes: int | None = None,
        pki: Pki | None = None,
    ) -> DemoCluster:
        cluster = await DemoCluster.start(
            tmp_path / f"cluster-{len(clusters) + 1}",
            etcd=etcd or binary("etcd"),
            size=size,
            quota_bytes=quota_bytes,
            pki=pki,
        )
        clusters.append(cluster)
        return cluster

    yield make
    for cluster in clusters:
        await cluster.close(grace=0)


class SharedCluster:
    """The session's cluster: mended between tests, replaced when it cannot be."""

    def __init__(self, etcd: str, directory: Callable[[], Path]) -> None:
        self._etcd = etcd
        self._directory = directory
        self._cluster: DemoCluster | None = None
        self._data: Path | None = None

    async def healthy(self) -> DemoCluster:
        """Mend it, or start another."""
        async with asyncio.timeout(_HEALTHY_S):
            return await self._healthy()

    async def _healthy(self) -> DemoCluster:
        if self._cluster is not None:
            with suppress(TimeoutError, StartError, ValueError):
                await self._mend(self._cluster)
                return self._cluster
            await self.close()
        self._data = self._directory()
        self._cluster = await DemoCluster.start(self._data, etcd=self._etcd)
        return self._cluster

    async def close(self) -> None:
        if self._cluster is not None:
            await self._cluster.close(grace=0)
        if self._data is not None:
            shutil.rmtree(self._data, ignore_errors=True)

    async def _mend(self, cluster: DemoCluster) -> None:
        if list(cluster.files.ca.parent.glob("*.wiped-*")):
            raise StartError("a member has lost its data")
        for member in cluster.frozen:
            cluster.thaw(member)
        for member in cluster.endpoints.keys() - cluster.running:
            await cluster.start_member(member)
        await cluster.wait_healthy(10)
        if len(cluster.running) < len(cluster.endpoints):
            raise StartError("a member ended again")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_cluster(
    binary: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedCluster]:
    """The holder of the session's cluster; use `etcd_cluster`."""
    holder = SharedCluster(binary("etcd"), lambda: tmp_path_factory.mktemp("etcd"))
    yield holder
    await holder.close()


@pytest_asyncio.fixture
async def etcd_cluster(shared_cluster: SharedCluster) -> DemoCluster:
    """The session's 3-member TLS cluster, healthy at the start of the test.

    A test may stop, freeze and even wipe members. It holds what earlier tests wrote: for an empty
    one, or to change its members or alarms, use `make_cluster`.
    """
    return await shared_cluster.healthy()
