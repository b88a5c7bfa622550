"""A process may be killed at any instant, and others may save meanwhile."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.targets.backups.folder import SCRATCH
from procedures.model.snapshot import Snapshot
from tests.contract.backups.values import an_origin
from tests.contract.backups.worlds import LocalWorld, save

ROOT = Path(__file__).parents[3]
AT_ONCE = 4
OLD_S = 24 * 3600
FIRST_CALLS = 8
"""Which make the cluster's directory, and begin to write."""

Run = Callable[[LocalWorld, int], "asyncio.Future[tuple[int, str]]"]


@pytest.fixture
def run(local: LocalWorld, binary: Callable[[str], str], tmp_path: Path) -> Run:
    """Let a process save into a world's directory; gives its exit status and its output."""
    sample = tmp_path / "sample.db"
    sample.write_bytes(local.samples.five.data)
    gate = asyncio.Semaphore(AT_ONCE)

    async def start(world: LocalWorld, limit: int) -> tuple[int, str]:
        async with gate:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.integration.backups.saver",
                str(world.directory),
                str(sample),
                binary("etcdctl"),
                str(world.clock.ms + 60_000),
                str(limit),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, output.decode().strip()

    return lambda world, limit: asyncio.ensure_future(start(world, limit))


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.rglob("*") if path.is_file()} - {".lock"}


def age(directory: Path) -> None:
    """Make all files as old as if what happened had happened yesterday."""
    for path in directory.rglob("*"):
        os.utime(path, (time.time() - OLD_S,) * 2)


def pairs(*snapshots: Snapshot) -> set[str]:
    """The files that belong to snapshots."""
    return {name for each in snapshots for name in (each.name, each.name[:-3] + ".json")}


@pytest.mark.parametrize("first", [False, True], ids=["one more", "the first"])
async def test_a_kill_at_any_call_leaves_all_or_nothing(
    local: LocalWorld, run: Run, binary: Callable[[str], str], tmp_path: Path, *, first: bool
) -> None:
    """What is listed is whole, the older backup stays, and a later save clears up."""
    seen: set[int] = set()

    async def made(name: str) -> tuple[LocalWorld, tuple[Snapshot, ...]]:
        directory = tmp_path / name
        directory.mkdir()
        world = LocalWorld(directory, local.samples, binary("etcdctl"))
        return world, () if first else (await save(world),)

    async def killed_at(limit: int) -> None:
        world, before = await made(f"killed-{limit}")
        assert await run(world, limit) == (-9, "")
        listed = await world.backups.listing(world.cluster.name)
        assert set(before) <= set(listed)
        assert [await world.backups.verify(each) for each in listed] == [None] * len(listed)
        seen.add(len(listed) - len(before))
        left = files(world.directory)
        for path in world.directory.rglob("*"):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
        world.clock.ms += 120_000
        soon = await save(world)
        assert files(world.directory) == left | pairs(soon)  # it might belong to a living save
        age(world.directory)
        world.clock.ms += 120_000
        late = await save(world)
        assert files(world.directory) == pairs(*listed, soon, late)

    code, calls = await run((await made("whole"))[0], 0)
    assert code == 0
    last = FIRST_CALLS if first else int(calls)  # later it is all the same
    async with asyncio.TaskGroup() as group:
        for limit in range(1, last + 1):
            group.create_task(killed_at(limit))
    assert seen == ({0} if first else {0, 1})


async def test_processes_at_once(local: LocalWorld, run: Run) -> None:
    """Several processes save the same and rotate at once: each backup is there, once and whole."""
    first = await save(local)
    times = [first.taken_at_ms]
    for _ in range(2):
        results = await asyncio.gather(*(run(local, 0) for _ in range(4)))
        assert [code for code, _ in results] == [0] * 4
        local.clock.ms += 60_000
        times.append(local.clock.ms)
    listed = await local.backups.listing(local.cluster.name)
    assert [each.taken_at_ms for each in listed] == times[::-1]
    assert [await local.backups.verify(each) for each in listed] == [None] * 3
    assert files(local.directory) == pairs(*listed)


async def test_a_file_that_a_living_process_holds_is_left_alone(local: LocalWorld) -> None:
    """Also when it has not been written to for long: its lock tells."""
    data = local.samples.three.data
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield data[:5000]
        waiting.set()
        await go_on.wait()
        yield data[5000:]

    slow = asyncio.create_task(local.backups.save(local.cluster, an_origin(1), chunks()))
    await asyncio.wait_for(waiting.wait(), 20)
    age(local.directory)
    local.clock.ms += 60_000
    quick = await save(local)
    assert len([name for name in files(local.directory) if name.startswith(SCRATCH)]) == 1
    go_on.set()
    assert await local.backups.listing(local.cluster.name) == (quick,)
    assert {await slow, quick} == set(await local.backups.listing(local.cluster.name))


async def test_only_own_scratch_files_are_cleared_away(local: LocalWorld) -> None:
    """Not what others put there, not what a name points to, and no data without a record."""
    snapshot = await save(local)
    folder = local.directory / "prod"
    outside = local.directory / "outside"
    outside.write_text("precious")
    (folder / "notes.txt").write_text("mine")
    (folder / "prod-20200101T000000Z-7-0123456789ab.db").write_text("who knows")
    (folder / f"{SCRATCH}link.db").symlink_to(outside)
    (folder / f"{SCRATCH}directory").mkdir()
    os.mkfifo(folder / f"{SCRATCH}fifo")
    kept = {path.name for path in folder.iterdir()}
    (folder / f"{SCRATCH}0123.db").write_text("left over")
    (folder / "prod-20200101T000000Z-8-0123456789ab.json").write_text("{}")
    age(local.directory)
    local.clock.ms += 60_000
    after = await save(local)
    assert {path.name for path in folder.iterdir()} == kept | pairs(after)
    assert outside.read_text() == "precious"
    assert await local.backups.listing(local.cluster.name) == (after, snapshot)
