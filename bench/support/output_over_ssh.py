"""Output over SSH: how much comes through, and how soon another worker goes on with it."""

import asyncio
import os
import subprocess
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.support.over_ssh import Machine, machine
from procedures.model.ids import RunId
from tests.support.waiting import eventually

RATE = 10_000
_TEXT = "." * 80

_PACED = """
import sys, time
seconds, rate = int(sys.argv[1]), int(sys.argv[2])
began, said = time.monotonic(), 0
for tick in range(seconds * 100):
    for _ in range(rate // 100):
        said += 1
        print(f"line {said} {'.' * 80}")
    sys.stdout.flush()
    time.sleep(max(0.0, began + (tick + 1) / 100 - time.monotonic()))
print(f"over after {said} in {time.monotonic() - began:.2f} s at {time.time()}", flush=True)
"""


@dataclass(frozen=True, slots=True)
class Lines:
    """How many lines were printed and in which time, what became of them, and until when."""

    said: int
    seconds: float
    missing: int
    doubled: int
    behind: float
    """Seconds from the print of the last line until a worker has taken it in."""
    cpu: float
    """Of them, on a core of the workers' own."""
    resumed: tuple[float, ...] = ()
    """Seconds from the death of each killed worker until the next has stored a line."""

    @property
    def unaccounted(self) -> int:
        """Lines that are not stored exactly once."""
        return self.missing + self.doubled


async def paced(seconds: int, *, kills: int = 0, rate: int = RATE) -> Lines:
    """So many lines a second; workers are killed meanwhile, with another one at hand."""
    argv = ("python3", "-c", _PACED, str(seconds), str(rate))
    resumed: list[float] = []
    async with machine() as there:
        workers = [await asyncio.to_thread(there.worker, argv) for _ in range(2)]
        run = await there.asked("paced")
        for number in range(kills):
            await asyncio.sleep(1.0 + 0.37 * number)
            resumed.append(await _killed(there, run, workers))
            workers.append(await asyncio.to_thread(there.worker, argv))
        await _over(there, run)
        cpu = sum(_cpu(worker) for worker in workers)
        for worker in workers:
            worker.kill()
        lines = await _accounted(there, run)
        return Lines(*lines, cpu, tuple(resumed))


async def flat_out(count: int) -> tuple[float, float, float]:
    """As fast as they come: seconds until a worker has stored all, its CPU, and plain ssh's."""
    argv = (
        "sh",
        "-c",
        f"seq -f 'line %.0f {_TEXT}' 1 {count}; echo over after {count} in 0 s at 0",
    )
    async with machine() as there:
        worker = await asyncio.to_thread(there.worker, argv)
        began = time.perf_counter()
        run = await there.asked("flat out")
        await _over(there, run)
        by_worker = time.perf_counter() - began
        cpu = _cpu(worker)
        worker.kill()
        assert (await _accounted(there, run))[2:4] == (0, 0)
        began = time.perf_counter()
        plain = await asyncio.to_thread(
            subprocess.run,
            there.ssh([f"seq -f 'line %.0f {_TEXT}' 1 {count}"]),
            check=True,
            capture_output=True,
        )
        assert plain.stdout.count(b"\n") == count
        return by_worker, cpu, time.perf_counter() - began


async def _killed(there: Machine, run: RunId, workers: list[BaseProcess]) -> float:
    """Kill the worker that has the run; seconds until a line of the next one is stored."""
    name = (await there.front.read(run)).entries[-1].event
    holder = next(each for each in workers if str(each.pid) in repr(name))
    holder.kill()
    killed = time.perf_counter()
    await asyncio.to_thread(holder.join)
    workers.remove(holder)
    before = await _count(there, run)

    async def more() -> bool:
        return await _count(there, run) > before

    await eventually(more, 60, "another worker goes on")
    return time.perf_counter() - killed


async def _count(there: Machine, run: RunId) -> int:
    last = await there.front.output(run, -1)
    return last[-1].seq + 1 if last else 0


async def _over(there: Machine, run: RunId) -> None:
    async with asyncio.timeout(180):
        while True:
            last = await there.front.output(run, -1)
            if last and last[-1].text.startswith("over after "):
                return
            await asyncio.sleep(0.02)


async def _accounted(there: Machine, run: RunId) -> tuple[int, float, int, int, float]:
    """Lines that were printed, in how many seconds, missing, doubled; and how late the last was."""
    *lines, last = await there.front.output(run)
    words = last.text.split()
    said, seconds, behind = int(words[2]), float(words[4]), last.at_ms / 1_000 - float(words[7])
    found = [int(line.text.split()[1]) for line in lines]
    missing = len(set(range(1, said + 1)) - set(found))
    return said, seconds, missing, len(found) - len(set(found)), behind


def _cpu(worker: BaseProcess) -> float:
    user, system = Path(f"/proc/{worker.pid}/stat").read_text().split()[13:15]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
