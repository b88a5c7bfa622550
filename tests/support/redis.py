"""A real Redis for tests."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox import redis as server
from bot.sandbox.ports import LOOPBACK, free_ports
from bot.sandbox.processes import Child


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server, for tests alone: AOF `always`, `noeviction`, a password."""

    port: int
    password: str = field(repr=False)
    pid: int

    @property
    def url(self) -> str:
        """Without the password, as in a configuration file."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def url_with_password(self) -> str:
        """For `redis.asyncio.Redis.from_url`."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"


@asynccontextmanager
async def running_redis(binary: str, directory: Path) -> AsyncIterator[RedisServer]:
    """A server with its data below `directory`, ended with the context."""
    password = secrets.token_urlsafe(16)
    for _ in range(5):
        (port,) = free_ports(1)
        config = directory / "redis.conf"
        server.write_config(config, port=port, password=password, data=directory / "data")
        child = Child.start("redis", [binary, str(config)], log=directory / "redis.log")
        try:
            await _until_it_answers(child, port, password)
            if child.returncode is None:
                yield RedisServer(port, password, child.pid)
                return
        finally:
            await child.stop(3.0)
        if "Address already in use" not in child.last_lines(20):
            break
    raise RuntimeError(f"redis-server did not start: {child.last_lines()}")


async def _until_it_answers(child: Child, port: int, password: str) -> None:
    """Returns as well when it ends."""
    async with asyncio.timeout(10):
        while child.returncode is None:
            if await server.answers(port, password):
                return
            await asyncio.sleep(0.02)
