"""How soon does an approved run start, what does a step cost, when does another worker go on?

Redis writes everything to disk before it answers (`appendfsync always`) throughout.
"""

import argparse
import asyncio
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from unittest.mock import patch

from pydantic import JsonValue
from redis.asyncio import Redis

from bench.support.figures import goal, load, median, show
from bot.carrying import Hand
from bot.sandbox.binaries import find
from bot.store.connection import connect
from bot.store.runs import Runs
from procedures.engine.execute import execute
from procedures.engine.ports import Finding, NotHappened, Work, World
from procedures.model.events import Began, Decided, Entry, Planned, Started
from procedures.model.ids import ClusterName, Site
from procedures.model.plan import Plan, Risk
from procedures.model.procedure import Runbook
from procedures.model.redaction.redactor import Redactor
from tests.support.redis import running_redis
from tests.support.requests import a_request
from tests.support.run_messages import click, in_state, peer_urls
from tests.support.running import running_sandbox
from tests.support.sandbox import Sandbox
from tests.support.sight import a_sight
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

SITE = Site("default")


@dataclass(frozen=True, slots=True)
class NoOp:
    """A step that does nothing."""

    KIND: ClassVar[str] = "bench.no-op/1"
    waits: ClassVar[None] = None
    command: ClassVar[str] = "nothing"

    async def perform(self, _world: World, work: Work) -> JsonValue:
        """Look at the lease, as each step that changes something does."""
        await work.guard()
        return None

    async def probe(self, _world: World, _work: Work) -> Finding:
        """It did not happen."""
        return NotHappened()


async def main(rounds: int, kills: int, steps: int, seconds: int) -> None:
    """Measure and print."""
    print(load())
    with tempfile.TemporaryDirectory() as directory:
        async with running_sandbox(Path(directory)) as sandbox:
            starts, looks = await _starts(sandbox, rounds)
            resumed = await _resumed(sandbox, kills)
    step_ms = await _step_ms(steps)
    stored, said, took_s = await _lines(seconds)
    show(
        ("", "p50", "p95", "n"),
        [
            ("click to worker, ms", _figure(starts, 50), _figure(starts, 95), str(len(starts))),
            ("looks again, ms", _figure(looks, 50), _figure(looks, 95), str(len(looks))),
            ("killed to resumed, s", _figure(resumed, 50), _figure(resumed, 95), str(len(resumed))),
        ],
    )
    print(f"a no-op step: {step_ms:.2f} ms (mean of {steps})")
    print(f"output: {said:,} lines in {took_s:.1f} s, {stored:,} stored")
    goal("click to worker, p95", _percentile(starts, 95), 250, "ms")
    goal("a no-op step", step_ms, 5, "ms")
    goal("killed to resumed, worst", max(resumed), 10, "s")
    goal("lines unaccounted", said - stored, 0)


async def _starts(sandbox: Sandbox, rounds: int) -> tuple[list[float], list[float]]:
    """From the deciding click to the worker that has the run; from there to its first step."""
    starts: list[float] = []
    looks: list[float] = []
    for number in range(rounds):
        url = (await peer_urls(sandbox))["demo-1"]
        old, new = ("127.0.0.1", "localhost") if number % 2 == 0 else ("localhost", "127.0.0.1")
        since = await sandbox.moment()
        await sandbox.accepted(f"member fix-peer-url demo-1 {url.replace(old, new)}")
        asked = await in_state(sandbox, "Waiting for approval", since)
        clicked_ms = time.time() * 1_000
        await click(sandbox, "bob", asked, "run.approve")
        await in_state(sandbox, "Succeeded", since)
        entries = (await sandbox.store().journal(asked.run)).entries
        decided = next(n for n, entry in enumerate(entries) if isinstance(entry.event, Decided))
        began = _first(entries[decided:], Began)
        starts.append(began.at_ms - clicked_ms)
        looks.append(_first(entries[decided:], Started).at_ms - began.at_ms)
    return starts, looks


async def _resumed(sandbox: Sandbox, kills: int) -> list[float]:
    """A run waits for health with a member down; its worker is killed."""
    seconds = []
    url = (await peer_urls(sandbox))["demo-1"]
    for number in range(kills):
        other = f"https://localhost:{url.rpartition(':')[2]}" if number % 2 == 0 else url
        since = await sandbox.moment()
        await sandbox.accepted(f"member fix-peer-url demo-1 {other}")
        asked = await in_state(sandbox, "Waiting for approval", since)
        await sandbox.cluster("demo-3", "stop")
        await click(sandbox, "bob", asked, "run.approve")

        async def waits(run: str = asked.run) -> bool:
            entries = (await sandbox.store().journal(run)).entries
            return any(isinstance(e.event, Started) and e.event.step == 2 for e in entries)

        await eventually(waits, 20, "the run waits for health")
        before = len((await sandbox.store().journal(asked.run)).entries)
        killed_ms = time.time() * 1_000
        sandbox.processes.send("worker", signal.SIGKILL)

        async def taken(run: str = asked.run, before: int = before) -> bool:
            return len((await sandbox.store().journal(run)).entries) > before

        await eventually(taken, 60, "another worker has taken it over")
        entry = (await sandbox.store().journal(asked.run)).entries[before]
        seconds.append((entry.at_ms - killed_ms) / 1_000)
        await sandbox.cluster("demo-3", "start")
        await in_state(sandbox, "Succeeded", since, seconds=90)
    return seconds


async def _step_ms(steps: int) -> float:
    book = Runbook()
    book.title = "do nothing"
    for _ in range(steps):
        book.step("Do nothing", NoOp())
    demo = ClusterName("demo")
    plan = Plan("bench", {}, demo, book.title, Risk.READ_ONLY, "bench", (), tuple(book.steps))
    async with _hand(plan) as (hand, _):
        with patch("procedures.engine.execute.action", lambda _kind, _args: NoOp()):
            began = time.perf_counter()
            await execute(plan, hand, a_sight())
            return (time.perf_counter() - began) * 1_000 / steps


async def _lines(seconds: int) -> tuple[int, int, float]:
    """10,000 lines a second from one step; how many are stored, were said, and in which time."""
    plan = Plan("bench", {}, ClusterName("demo"), "talk", Risk.READ_ONLY, "bench", (), ())
    async with _hand(plan) as (hand, runs):
        work, began, said = hand.work(1), time.perf_counter(), 0
        keeper = asyncio.create_task(hand.keep())
        for tick in range(seconds * 100):
            for _ in range(100):
                await work.say(f"line {said} {'.' * 80}")
                said += 1
            late = began + (tick + 1) / 100 - time.perf_counter()
            await asyncio.sleep(max(0.0, late))
        took_s = time.perf_counter() - began
        await hand.write()
        keeper.cancel()
        lines = await runs.output(hand.run.id)
        numbers = {line.seq for line in lines}
        return len(numbers), said, took_s


@asynccontextmanager
async def _hand(plan: Plan) -> AsyncIterator[tuple[Hand, Runs]]:
    with tempfile.TemporaryDirectory() as directory:
        binary = find("redis-server")["redis-server"]
        async with running_redis(binary, Path(directory)) as server:
            redis: Redis = connect(server.url, server.password)
            request = a_request("etcd backup")
            name = await Runs(redis, FRONT, KEYRING).accept(request, source="bench")
            runs = Runs(redis, WORKER, KEYRING)
            lease, journal = await runs.take(name, SITE)
            journal = await runs.hold(lease, journal, Began("bench"), Planned(plan, 0))
            yield Hand(runs, lease, journal, await runs.shelf(name), Redactor({})), runs
            await redis.aclose()


def _first(entries: tuple[Entry, ...], kind: type) -> Entry:
    return next(entry for entry in entries if isinstance(entry.event, kind))


def _percentile(values: list[float], share: int) -> float:
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


def _figure(values: list[float], share: int) -> str:
    return f"{median(values) if share == 50 else _percentile(values, share):.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    asyncio.run(main(given.rounds, given.kills, given.steps, given.seconds))
