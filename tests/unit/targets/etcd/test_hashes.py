"""Hashes are computed once for all who ask within a while, and a fault is not kept."""

import asyncio

from bot.targets.etcd.hashes import SharedHashes
from procedures.model.ids import ClusterName
from procedures.model.probe import Fault, FaultKind, HashKv

DEMO = ClusterName("demo")
DOWN = Fault(FaultKind.REFUSED, "down")


class Counted:
    """Hashes when it is let, and writes down for whom."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.down: set[str] = set()
        self.go = asyncio.Event()
        self.go.set()
        self.now_ms = 1_000_000

    async def __call__(self, endpoint: str, revision: int) -> HashKv | Fault:
        self.asked.append((endpoint, revision))
        await self.go.wait()
        return DOWN if endpoint in self.down else HashKv(revision, 1, 42)


async def test_shared_for_half_a_minute() -> None:
    """Within 30 s one answer serves all, at its own revision; then it is computed anew."""
    counted = Counted()
    hashes = SharedHashes(lambda: counted.now_ms)
    first = await hashes.get(DEMO, ["a", "b"], 10, counted)
    counted.now_ms += 29_999
    assert await hashes.get(DEMO, ["a", "b"], 12, counted) == first
    assert counted.asked == [("a", 10), ("b", 10)]
    counted.now_ms += 1
    assert (await hashes.get(DEMO, ["a"], 12, counted))["a"] == HashKv(12, 1, 42)


async def test_fresh_ones() -> None:
    """Whoever must know what is there now gets no older answer; others share the new one."""
    counted = Counted()
    hashes = SharedHashes(lambda: counted.now_ms)
    await hashes.get(DEMO, ["a"], 10, counted)
    fresh = await hashes.get(DEMO, ["a"], 12, counted, fresh=True)
    assert fresh == await hashes.get(DEMO, ["a"], 14, counted) == {"a": HashKv(12, 1, 42)}
    assert counted.asked == [("a", 10), ("a", 12)]


async def test_shared_while_under_way() -> None:
    """Those who ask at the same time wait for the same computation, also when one gives up."""
    counted = Counted()
    counted.go.clear()
    hashes = SharedHashes(lambda: counted.now_ms)
    impatient = asyncio.create_task(hashes.get(DEMO, ["a"], 10, counted))
    patient = asyncio.create_task(hashes.get(DEMO, ["a"], 10, counted))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait({impatient})
    counted.go.set()
    assert await patient == {"a": HashKv(10, 1, 42)}
    assert counted.asked == [("a", 10)]


async def test_faults_are_not_kept() -> None:
    """A member that was down is asked again, at the revision of those that it is compared with."""
    counted = Counted()
    counted.down.add("b")
    hashes = SharedHashes(lambda: counted.now_ms)
    assert (await hashes.get(DEMO, ["a", "b"], 10, counted))["b"] == DOWN
    counted.down.clear()
    assert (await hashes.get(DEMO, ["a", "b"], 12, counted))["b"] == HashKv(10, 1, 42)
    assert counted.asked == [("a", 10), ("b", 10), ("b", 10)]


async def test_clusters_are_apart() -> None:
    """Two clusters share nothing, even with equal endpoints."""
    counted = Counted()
    hashes = SharedHashes(lambda: counted.now_ms)
    await hashes.get(DEMO, ["a"], 10, counted)
    await hashes.get(ClusterName("other"), ["a"], 11, counted)
    assert counted.asked == [("a", 10), ("a", 11)]


async def test_close_ends_what_is_under_way() -> None:
    """After closing, no computation is left."""
    counted = Counted()
    counted.go.clear()
    hashes = SharedHashes(lambda: counted.now_ms)
    asking = asyncio.create_task(hashes.get(DEMO, ["a"], 10, counted))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking})
    await hashes.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
