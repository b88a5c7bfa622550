"""Snapshots of each etcd, judged by us and by its own tools, and restored with them.

The tools say more about a spoiled snapshot when it is restored than when it is read: they read
one with a flipped byte, and one without its SHA-256, as if it were whole.
"""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.targets.backups.bolt import compacted_revision
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Reading, Tool, Tools
from bot.targets.backups.trailer import Trailer
from procedures.model.errors import Permanent
from tests.contract.backups.real import Samples, Taken, take_samples
from tests.contract.backups.values import a_cluster, an_origin, flipped, stream
from tests.support.releases import Release
from tests.support.restoring import restored, run
from tests.support.sight import FakeClock

OWN_ENTRIES = 10


@dataclass(frozen=True, slots=True)
class Written:
    """What one etcd wrote, and who may read it."""

    release: Release
    samples: Samples

    @property
    def tools(self) -> Tools:
        return Tools({self.release.minor: str(Path(self.release.reader).parent)})

    async def tool(self) -> Tool:
        return await self.tools.find(self.release.minor)

    async def read(self, file: Path) -> Reading:
        size = os.stat(file).st_size  # noqa: PTH116 - ASYNC240 takes Path for slow
        return await self.tools.read(await self.tool(), str(file), size)


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["etcd_34", "etcd_35"])
async def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Written:
    """Snapshots of one cluster of each release."""
    release: Release = request.getfixturevalue(request.param)
    directory = tmp_path_factory.mktemp("written")
    return Written(release, await take_samples(directory, release.etcd, release.etcdctl))


def backups(written: Written, tmp_path: Path) -> LocalBackups:
    directory = tmp_path / "backups"
    directory.mkdir()
    return LocalBackups(directory, written.tools, FakeClock())


def spoiled(data: bytes) -> Mapping[str, bytes]:
    """Every way in which a snapshot has been seen to be none."""
    return {
        "empty": b"",
        "cut inside a page": data[: len(data) // 2 - 100],
        "cut after a page": data[: len(data) // 2 // 512 * 512],
        "cut by a page": data[:-512],
        "cut by a byte": data[:-1],
        "without its hash": data[:-32],
        "flipped in a value": flipped(data, data.index(b"key-1") + 4),
        "flipped in the first page": flipped(data, 16),
        "flipped in its hash": flipped(data, len(data) - 1),
    }


async def test_the_tool_reads_what_its_etcd_wrote(written: Written, tmp_path: Path) -> None:
    """Hash, revision, keys and size; it leaves the file as it was."""
    taken = written.samples.three
    file = tmp_path / "snapshot.db"
    file.write_bytes(taken.data)
    tool, reading = await written.tool(), await written.read(file)
    name = {"3.4": "etcdctl", "3.5": "etcdutl"}[written.release.minor]
    assert (tool.name, tool.minor) == (name, written.release.minor)
    assert reading.revision == taken.revision
    assert 0 < reading.total_keys - 3 < OWN_ENTRIES
    assert reading.total_size == len(taken.data) - 32
    assert 0 < int(reading.hash, 16) < 2**32
    assert file.read_bytes() == taken.data


async def test_the_tool_is_no_proof(written: Written, tmp_path: Path) -> None:
    """It reads almost anything without complaint, the half of a file too; of nothing it says so."""
    refused: dict[str, str] = {}
    for name, data in spoiled(written.samples.three.data).items():
        file = tmp_path / name
        file.write_bytes(data)
        try:
            reading = await written.read(file)
        except Permanent as error:
            refused[name] = str(error)
        else:
            assert reading.revision == written.samples.three.revision, name
    # Whether the half of a file can be read depends on where its pages are.
    assert {"empty"} <= refused.keys() <= {"empty", "cut inside a page", "cut after a page"}
    assert all("cannot read the snapshot: " in said for said in refused.values())


async def test_what_is_spoiled_is_neither_kept_nor_restored(
    written: Written, tmp_path: Path
) -> None:
    """We refuse what a restore would refuse, and keep nothing of it."""
    place, taken = backups(written, tmp_path), written.samples.three
    origin = an_origin(taken.revision, version=f"{written.release.minor}.9")
    for name, data in spoiled(taken.data).items():
        with pytest.raises(Permanent, match="Nothing is kept: take another"):
            await place.save(a_cluster(), origin, stream(data))
        file = tmp_path / name
        file.write_bytes(data)
        restore = ("snapshot", "restore", str(file), f"--data-dir={file}.data")
        code, said = await run(written.release.reader, *restore)
        assert code != 0, (name, said)
    assert await place.listing(a_cluster().name) == ()


async def test_each_good_one_is_restored(written: Written, tmp_path: Path) -> None:
    """etcd starts on it with every key, at the revision that the cluster had."""
    place, samples = backups(written, tmp_path), written.samples
    wanted: list[tuple[Taken, int]] = [
        (samples.new, 0), (samples.three, 3), (samples.five, 3), (samples.compacted, 2)
    ]  # fmt: skip
    for number, (taken, keys) in enumerate(wanted):
        origin = an_origin(taken.revision, version=f"{written.release.minor}.9")
        snapshot = await place.save(a_cluster(), origin, stream(taken.data))
        assert await place.verify(snapshot) is None
        file = tmp_path / "backups" / snapshot.cluster / snapshot.name
        async with restored(written.release, file, tmp_path / str(number)) as (count, at):
            assert (count, at) == (keys, taken.revision)


async def test_the_compaction_is_found(written: Written) -> None:
    """Where there was one, at its revision: from there etcd counts on, whatever the tool says."""
    samples = written.samples
    found = []
    for taken in (samples.new, samples.three, samples.five, samples.compacted):
        descriptor = os.memfd_create("sample")
        try:
            await asyncio.to_thread(os.write, descriptor, taken.data)
            found.append(compacted_revision(descriptor))
        finally:
            os.close(descriptor)
    assert found == [0, 0, 0, samples.compacted.revision]


def test_one_byte_in_each_64(written: Written) -> None:
    """And every byte of the SHA-256: none can change unseen."""
    data = written.samples.three.data
    for place in (*range(0, len(data), 64), *range(len(data) - 32, len(data))):
        seen = Trailer()
        seen.update(flipped(data, place))
        assert "is damaged" in str(seen.fault)


@pytest.mark.parametrize("written", ["etcd_35"], indirect=True)
async def test_etcdctl_35_reads_as_etcdutl_does(written: Written, tmp_path: Path) -> None:
    """It says on the side that it is deprecated, which is no part of its answer."""
    file, data = tmp_path / "snapshot.db", written.samples.five.data
    file.write_bytes(data)
    older = Tools({"3.5": written.release.etcdctl})
    tool = await older.find("3.5")
    assert tool.name == "etcdctl"
    assert await older.read(tool, str(file), len(data)) == await written.read(file)
