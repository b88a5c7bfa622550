"""How soon does a job start, and how many start each second, beside other queues on Redis?

One Redis for all, which syncs each write to disk before it answers (`appendfsync always`). Each
system has a producer and one worker, in processes of their own. Systems take turns, several
rounds of them, so that a slow minute of the machine is everybody's.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from redis.asyncio import Redis

from bench.support.figures import goal, load, median, p99, show
from bench.support.venvs import ROOT, python_with
from bot.sandbox.binaries import find
from bot.sandbox.processes import Child, environment
from tests.support.redis import RedisServer, running_redis

OWN = "own"
SYSTEMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    OWN: ("bench.queues.own", ()),
    "arq": ("bench.queues.arq_jobs", ("arq==0.28.0", "redis[hiredis]")),
    # It imports typing_extensions without saying so.
    "saq": (
        "bench.queues.saq_jobs",
        ("saq[redis]==0.26.4", "redis[hiredis]", "typing-extensions"),
    ),
    "streaq": ("bench.queues.streaq_jobs", ("streaq==7.2.0",)),
}
FACTOR = 1.2
_GAP_MS = 20
_WARM_UP = 10
_PATIENCE_S = 120.0
_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class System:
    """A queue under test: the Python that it runs in, and its adapter."""

    name: str
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one system: the start latency of each job, and no-op jobs each second."""

    start_ms: tuple[float, ...]
    jobs_per_s: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a turn happens: the server, and a directory for times and logs."""

    redis: RedisServer
    directory: Path

    def start(self, system: System, *args: str) -> tuple[Child, Path]:
        """Start the adapter; gives the file of times too."""
        name = f"{system.name}-{args[0]}"
        times = self.directory / f"{name}.times"
        env = environment() | {
            "BENCH_REDIS": self.redis.url_with_password,
            "BENCH_TIMES": str(times),
        }
        log = self.directory / f"{name}.log"
        return Child.start(name, [*system.argv, *args], log=log, env=env, cwd=ROOT), times

    async def enqueue(self, system: System, first: int, count: int, gap_ms: int) -> Path:
        """Let the producer enqueue, to its end."""
        child, times = self.start(system, "enqueue", str(first), str(count), str(gap_ms))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status = await child.wait()
        finally:
            await child.kill()
        if status:
            sys.exit(f"{system.name} does not enqueue: {child.last_lines()}")
        return times

    @contextlib.asynccontextmanager
    async def worker(self, system: System) -> AsyncIterator[Path]:
        """Run a worker."""
        child, times = self.start(system, "work")
        try:
            yield times
        except TimeoutError:
            sys.exit(f"{system.name} does not work its queue off: {child.last_lines()}")
        finally:
            await child.stop(_GRACE_S)


async def main(names: list[str], rounds: int, jobs: int, burst: int) -> None:
    """Measure and print."""
    systems = [system_of(name) for name in names]
    done: dict[str, list[Round]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="quorumbot-bench-") as temporary:
        binary = find("redis-server")["redis-server"]
        async with running_redis(binary, Path(temporary)) as server:
            for number in range(1, rounds + 1):
                for system in systems:
                    directory = Path(temporary) / f"round-{number}"
                    place = Place(server, directory / system.name)
                    done[system.name].append(await turn(place, system, jobs, burst))
                print(f"round {number} of {rounds} done; {load()}", file=sys.stderr)
    report(done, jobs, burst)


def system_of(name: str) -> System:
    """A system, installed."""
    module, requirements = SYSTEMS[name]
    python = python_with(name, requirements) if requirements else sys.executable
    return System(name, (python, "-m", module))


async def turn(place: Place, system: System, jobs: int, burst: int) -> Round:
    """Single jobs with a worker that waits for them, then a burst that waits for a worker."""
    async with Redis.from_url(place.redis.url_with_password) as client:
        await client.flushall()
        slow, fast = (place_in(place, name) for name in ("single", "burst"))
        async with slow.worker(system) as starts:
            await slow.enqueue(system, 0, _WARM_UP, 0)
            await count_of(starts, _WARM_UP)
            enqueued = times_in(await slow.enqueue(system, _WARM_UP, jobs, _GAP_MS))
            started = await count_of(starts, _WARM_UP + jobs)
        await client.flushall()
        await fast.enqueue(system, 0, burst, 0)
        async with fast.worker(system) as starts:
            seen = (await count_of(starts, burst)).values()
    start_ms = tuple((started[job] - at) / 1e6 for job, at in enqueued.items())
    return Round(start_ms, (burst - 1) / (max(seen) - min(seen)) * 1e9)


def place_in(place: Place, name: str) -> Place:
    """A directory of its own, made."""
    directory = place.directory / name
    directory.mkdir(parents=True)
    return replace(place, directory=directory)


async def count_of(path: Path, count: int) -> dict[int, int]:
    """Wait until so many jobs have a time; gives the first time of each."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            if len(times := times_in(path)) >= count:
                return times
            await asyncio.sleep(0.1)


def times_in(path: Path) -> dict[int, int]:
    """The first time of each job in a file that may not be there yet."""
    times: dict[int, int] = {}
    if path.exists():
        for line in path.read_text().splitlines():
            job, at = line.split()
            times.setdefault(int(job), int(at))
    return times


def report(done: dict[str, list[Round]], jobs: int, burst: int) -> None:
    """Print medians over the rounds."""
    print(f"{jobs} single jobs, bursts of {burst}, median of {len(done[OWN])} rounds; {load()}")
    p50s = {name: median([median(r.start_ms) for r in rounds]) for name, rounds in done.items()}
    rows = [
        (
            name,
            f"{p50s[name]:.2f}",
            f"{median([p99(r.start_ms) for r in rounds]):.2f}",
            f"{median([r.jobs_per_s for r in rounds]):,.0f}",
        )
        for name, rounds in done.items()
    ]
    show(("system", "start p50 ms", "start p99 ms", "no-op jobs/s"), rows)
    others = {name: p50 for name, p50 in p50s.items() if name != OWN}
    if others:
        best = min(others, key=lambda name: others[name])
        goal(f"own start p50, {FACTOR} x {best}'s", p50s[OWN], FACTOR * others[best], "ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each system (5)")
    parser.add_argument("--jobs", type=int, default=300, help="single jobs each turn (300)")
    parser.add_argument("--burst", type=int, default=2_000, help="jobs in each burst (2000)")
    parser.add_argument("--only", nargs="*", choices=SYSTEMS, help="systems (all); own is always")
    options = parser.parse_args()
    chosen = [name for name in SYSTEMS if name == OWN or not options.only or name in options.only]
    asyncio.run(main(chosen, options.rounds, options.jobs, options.burst))
