"""How fast does a front that was away catch up with the audit log, and how fast is it verified?"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from bench.support.figures import goal, load, show
from bot.auditing import examine
from bot.metrics import Metrics
from bot.recording import Recorder
from bot.sandbox.binaries import find
from bot.store.audit import AuditLog
from bot.store.connection import connect
from tests.support.changes import EVENTS, a_change
from tests.support.redis import running_redis
from tests.support.signing import FRONT, KEYRING


async def main(events: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        binary = find("redis-server")["redis-server"]
        async with running_redis(binary, Path(directory)) as server:
            redis = connect(server.url, server.password)
            for number in range(-(-events // EVENTS)):
                await a_change(redis, str(number))
            log = AuditLog(redis, "bench")
            recorder = Recorder(log, FRONT, KEYRING, board=None, metrics=Metrics(), now_ms=now_ms)
            began = time.perf_counter()
            recorded = await recorder.record()
            caught_up = time.perf_counter()
            found = await examine(redis, KEYRING, (), now_ms())
            verified = time.perf_counter()
            await redis.aclose()
    assert recorded == found.entries
    assert not found.faults
    print(f"{recorded:,} events of {found.runs:,} changes; {load()}")
    show(
        ("", "s", "events per s"),
        [
            (name, f"{seconds:.2f}", f"{recorded / seconds:,.0f}")
            for name, seconds in (("catch up", caught_up - began), ("verify", verified - caught_up))
        ],
    )
    goal("1,000 events recorded", (caught_up - began) / recorded * 1_000, 1, "s")


def now_ms() -> int:
    """The time."""
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000, help="how many events (1000)")
    asyncio.run(main(parser.parse_args().events))
