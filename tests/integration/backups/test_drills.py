"""Snapshots of each etcd, tried with its own programs: what is whole is served, the rest is not."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.targets.backups.drills import TriedHere
from bot.targets.backups.ground import clear, ground
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from procedures.model.drill import Drill, comparable, differences, token
from procedures.model.errors import Permanent, Retryable
from procedures.model.ids import RunId
from procedures.model.probe import HashKv
from procedures.model.snapshot import Snapshot
from tests.contract.backups.real import Taken
from tests.contract.backups.values import a_cluster, an_origin, flipped, stream
from tests.integration.backups.test_releases import Written, written
from tests.support.sight import FakeClock
from tests.support.waiting import eventually

__all__ = ["written"]

TOKEN = token(RunId("r-00000001"))


class Place:
    """A directory with backups, and one in which they are tried."""

    def __init__(self, written: Written, root: Path) -> None:
        self.directory, self.scratch = root / "backups", root / "scratch"
        self.directory.mkdir()
        self.scratch.mkdir()
        self.said: list[str] = []
        release = written.release
        self.backups = LocalBackups(self.directory, written.tools, FakeClock(), self.scratch)
        self.version = f"{release.minor}.9"

    @property
    def drills(self) -> TriedHere:
        return self.backups.drills

    async def save(self, taken: Taken) -> Snapshot:
        origin = replace(an_origin(taken.revision), version=self.version)
        return await self.backups.save(a_cluster(), origin, stream(taken.data))

    async def say(self, line: str) -> None:
        self.said.append(line)

    def left(self) -> list[str]:
        return os.listdir(self.scratch)  # noqa: PTH208


@pytest.fixture
def place(written: Written, tmp_path: Path) -> Place:
    return Place(written, tmp_path)


@pytest.mark.parametrize("which", ["new", "three", "compacted"])
async def test_what_is_whole_is_served(written: Written, place: Place, which: str) -> None:
    """With every key (keys 0 to 2, of which one is deleted at last); nothing is left of it."""
    taken: Taken = getattr(written.samples, which)
    snapshot = await place.save(taken)
    assert await place.drills.fault(snapshot) is None
    tried = await place.drills.carry_out(snapshot, TOKEN, place.say)
    assert differences(snapshot, tried) == ()
    assert tried.served == taken.revision
    assert tried.keys == {"new": 0, "three": 3, "compacted": 2}[which]
    assert tried.version.startswith(written.release.minor)
    assert place.left() == []


async def test_the_hash_is_compared(written: Written, place: Place) -> None:
    """That of the member is that of what was restored; another one is found out."""
    snapshot = await place.save(written.samples.three)
    asked = HashKv(3, -1, 0)
    snapshot = replace(snapshot, origin=replace(snapshot.origin, hash_kv=asked))
    tried = await place.drills.carry_out(snapshot, TOKEN, place.say)
    assert tried.hash_kv is not None
    assert comparable(snapshot, tried)
    assert "the HashKV at revision 3 is" in differences(snapshot, tried)[0]
    right = replace(asked, hash=tried.hash_kv.hash)
    assert not differences(replace(snapshot, origin=replace(snapshot.origin, hash_kv=right)), tried)


def spoiled(data: bytes) -> Mapping[str, bytes]:
    return {
        "flipped": flipped(data, len(data) // 2),
        "truncated": data[: len(data) // 2],
        "without its hash": data[:-32],
    }


@pytest.mark.parametrize("how", ["flipped", "truncated", "without its hash"])
async def test_what_is_spoiled_is_found_out(written: Written, place: Place, how: str) -> None:
    """Before any tool sees it, and nothing is left."""
    snapshot = await place.save(written.samples.five)
    path = place.directory / snapshot.cluster / snapshot.name
    path.write_bytes(spoiled(path.read_bytes())[how])
    with pytest.raises(Permanent, match=snapshot.name):
        await place.drills.carry_out(snapshot, TOKEN, place.say)
    assert place.left() == []


async def test_a_disk_that_is_too_small(written: Written, place: Place) -> None:
    """It is said before anything is copied there."""
    snapshot = await place.save(written.samples.new)
    with pytest.raises(Retryable, match="MiB are needed"):
        await place.drills.carry_out(replace(snapshot, size=2**60), TOKEN, place.say)
    assert place.left() == []


async def test_without_an_etcd_of_its_minor(written: Written, place: Place, tmp_path: Path) -> None:
    """The tool alone is not enough, and that is known before anything is tried."""
    snapshot = await place.save(written.samples.new)
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "etcd").write_text("#!/bin/sh\necho etcd Version: 3.1.2\n")
    (lone / "etcd").chmod(0o755)
    (lone / Path(written.release.reader).name).symlink_to(written.release.reader)
    minor = written.release.minor
    backups = LocalBackups(place.directory, Tools({minor: str(lone)}), FakeClock(), place.scratch)
    fault = await backups.drills.fault(snapshot)
    if minor == "3.5":  # that of 3.4 is on the PATH
        assert fault is not None
        assert "etcd is etcd 3.1" in fault
    other = replace(snapshot, origin=replace(snapshot.origin, version="3.9.1"))
    assert "3.9" in (await backups.drills.fault(other) or "")


async def test_what_killed_processes_have_left_goes(tmp_path: Path) -> None:
    """What is in use stays, and so does what somebody else calls so."""
    with ground(tmp_path, 0) as used:
        dead = tmp_path / "quorumbot-drill-dead"
        dead.mkdir()
        (dead / "lock").touch()
        (dead / "data").mkdir()
        (tmp_path / "quorumbot-drill-file").touch()
        clear(tmp_path)
        assert not dead.exists()
        assert used.exists()
        assert used.stat().st_mode & 0o777 == 0o700
    assert not used.exists()


_WORKER = """
import asyncio, sys
from pathlib import Path
from procedures.model.ids import ClusterName
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from bot.targets.backups import trial
from tests.support.sight import FakeClock

async def main(cluster, directory, scratch, minor, tools):
    backups = LocalBackups(Path(directory), Tools({minor: tools}), FakeClock(), Path(scratch))
    (snapshot,) = await backups.listing(ClusterName(cluster))
    async def asked(*_):
        print("serves", flush=True)
        await asyncio.sleep(600)
    trial._asked = asked
    async def say(line):
        pass
    await backups.drills.carry_out(snapshot, "quorumbot-drill-r", say)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_worker_that_is_killed_while_it_serves(written: Written, place: Place) -> None:
    """Its etcd goes with it; the folder goes with the next drill on this machine."""
    snapshot = await place.save(written.samples.three)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WORKER, snapshot.cluster),
        *(str(place.directory), str(place.scratch)),
        *(written.release.minor, str(Path(written.release.reader).parent)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line == b"serves\n"
    (folder,) = place.left()
    served = _served_in(place.scratch / folder)
    assert len(served) == 1
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()

    async def gone() -> bool:
        return not _served_in(place.scratch / folder)

    await eventually(gone, 10, "its etcd is gone")
    assert place.left() == [folder]
    await place.drills.carry_out(snapshot, TOKEN, place.say)
    assert place.left() == []


def _served_in(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                if (each / "cwd").readlink() == folder:
                    found.append(int(each.name))
            except OSError:
                continue
    return found


async def test_what_came_of_a_drill_is_remembered(written: Written, place: Place) -> None:
    """The newest; one that cannot be read is passed over."""
    snapshot = await place.save(written.samples.three)
    assert await place.drills.last(snapshot.cluster) is None
    drill = Drill(
        cluster=snapshot.cluster,
        snapshot=snapshot.name,
        sha256=snapshot.sha256,
        at_ms=1_000_000,
        took_ms=5,
        revision=4,
        keys=3,
        hash_compared=False,
        fault=None,
    )
    later = replace(drill, at_ms=2_000_000, fault="is damaged")
    for each in (drill, later, later):
        await place.drills.keep(each)
    assert await place.drills.last(snapshot.cluster) == later
    newest = max((place.directory / snapshot.cluster).glob("*.drill.json"))
    assert newest.stat().st_mode & 0o777 == 0o600
    newest.write_text("{")
    assert await place.drills.last(snapshot.cluster) == drill
    assert await place.backups.listing(snapshot.cluster) == (snapshot,)
