"""The shared real services keep what their fixtures promise."""

import os
import signal

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.sandbox.demo.cluster import DemoCluster
from tests.support.redis import RedisServer


async def test_redis_keeps_every_acknowledged_write(redis_server: RedisServer) -> None:
    """The settings without which Redis may forget what it acknowledged are on."""
    async with Redis.from_url(redis_server.url_with_password, decode_responses=True) as client:
        settings = await client.config_get("append*", "maxmemory-policy")
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "always"
        assert settings["maxmemory-policy"] == "noeviction"


@pytest.mark.parametrize("turn", [1, 2])
async def test_redis_is_empty_for_each_test(redis_server: RedisServer, turn: int) -> None:
    """What one test wrote, the next does not find."""
    async with Redis.from_url(redis_server.url_with_password) as client:
        assert await client.dbsize() == 0
        await client.set("left-behind", turn)


async def test_redis_asks_for_the_password(redis_server: RedisServer) -> None:
    """The server is not open to others on the machine."""
    async with Redis.from_url(redis_server.url) as client:
        with pytest.raises(RedisError, match="authenticated"):
            await client.dbsize()


@pytest.mark.parametrize("breakage", ["stop", "kill", "freeze", "wipe", "kill behind its back"])
async def test_cluster_is_whole_for_each_test(etcd_cluster: DemoCluster, breakage: str) -> None:
    """However a test left the shared cluster, the next one finds three healthy members."""
    assert len(etcd_cluster.running) == 3
    assert etcd_cluster.frozen == []
    await etcd_cluster.wait_healthy(1)
    if breakage == "kill behind its back":
        os.kill(etcd_cluster.pid("demo-1"), signal.SIGKILL)
    else:
        await etcd_cluster.act("demo-2", breakage)
