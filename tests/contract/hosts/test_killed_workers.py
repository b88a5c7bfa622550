"""Workers that are killed while a command prints: each of its lines is stored once."""

import asyncio
import multiprocessing
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

import pytest_asyncio

from bot.store.connection import connect
from bot.store.output import Line
from bot.store.runs import Runs
from procedures.model.host import Ended, Mark
from procedures.model.ids import Site
from tests.contract.hosts.worlds import Gate, RealWorld
from tests.support import follower
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

KILLS = 20
APART_S = 0.08
"""The first is killed at once, and each so much later than the one before: up to 1.5 s."""

PRINT = """
n=0
while [ ! -e "$0" ]; do
  until=$((n + 40))
  while [ $n -lt $until ]; do n=$((n + 1)); echo "line $n"; done
  sleep 0.01
done
echo "over after $n"
"""


@dataclass(frozen=True, slots=True)
class Following:
    """A run whose one command prints until the gate is opened, and those who follow it."""

    front: Runs
    task: follower.Task

    async def stored(self) -> tuple[Line, ...]:
        return await self.front.output(self.task.run)

    async def begun(self) -> BaseProcess:
        """A worker that has the run: forked from a process that has all modules, for speed."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.support.follower"])
        receive, send = context.Pipe(duplex=False)
        worker = context.Process(target=follower.work, args=(self.task, send), daemon=True)
        await asyncio.to_thread(worker.start)
        with receive, send:
            assert await asyncio.to_thread(receive.poll, 60)
        return worker

    async def killed(self, worker: BaseProcess) -> None:
        worker.kill()
        await asyncio.to_thread(worker.join)
        assert worker.exitcode in {-signal.SIGKILL, follower.LOST}

    async def told_to_the_end(self, worker: BaseProcess) -> None:
        """All that was printed is there, in order and once."""
        await asyncio.to_thread(worker.join, 60)
        while worker.exitcode == follower.LOST:
            worker = await self.begun()
            await asyncio.to_thread(worker.join, 60)
        assert worker.exitcode == 0
        lines = await self.stored()
        texts = [line.text for line in lines]
        count = len(texts) - 1
        assert texts == [*(f"line {n}" for n in range(1, count + 1)), f"over after {count}"]
        assert [line.seq for line in lines] == list(range(count + 1))


@pytest_asyncio.fixture
async def following(
    real: RealWorld, redis_server: RedisServer, gate: Gate
) -> AsyncIterator[Following]:
    redis = connect(redis_server.url, redis_server.password)
    front = Runs(redis, FRONT, KEYRING)
    real.run = await front.accept(a_request("etcd backup"), source=str(real.run))
    task = follower.Task(
        redis_server.url,
        redis_server.password,
        (FRONT.key.private_bytes_raw(), WORKER.key.private_bytes_raw()),
        real.run,
        Site("default"),
        real.way.port,
        str(real.server.user_key),
        str(real.access.known_hosts),
        ("sh", "-c", PRINT, gate.path),
    )
    yield Following(front, task)
    await redis.aclose()


async def test_at_any_moment(following: Following, gate: Gate) -> None:
    """However many are killed, and whenever: none is left out, and none is there twice."""
    for number in range(KILLS):
        worker = await following.begun()
        await asyncio.sleep(number * APART_S)
        await following.killed(worker)
    before = len(await following.stored())
    assert before > 1_000
    worker = await following.begun()
    await asyncio.sleep(0.5)
    gate.open()
    await following.told_to_the_end(worker)


async def test_when_it_ends_while_nobody_follows(
    real: RealWorld, following: Following, gate: Gate
) -> None:
    """Whoever comes after its end is told the rest."""
    worker = await following.begun()

    async def some() -> bool:
        return len(await following.stored()) > 100

    await eventually(some, 20, "some lines are stored")
    await following.killed(worker)
    gate.open()
    mark = Mark(real.run, 1, 1, "work")

    async def over() -> bool:
        return await real.hosts.settle(real.cluster, real.host, mark) == Ended(0)

    await eventually(over, 20, "the command is over")
    await following.told_to_the_end(await following.begun())
