"""What is stored can be restored: the real etcd 3.4 starts on it and has every key."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox.ports import free_ports
from bot.sandbox.processes import Child, environment
from tests.contract.backups.real import revision, take
from tests.contract.backups.values import an_origin, flipped, stream
from tests.contract.backups.worlds import LocalWorld, S3World
from tests.support.etcdctl import etcdctl
from tests.support.services import MakeCluster
from tests.support.waiting import eventually

KEYS = 120
OWN_ENTRIES = 10
"""etcd's own, e.g. the members, are a handful at most."""


async def run(*argv: str) -> tuple[int, str]:
    """Run a tool; gives its exit status and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=environment() | {"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


@asynccontextmanager
async def restored(
    tool: str, etcd: str, snapshot: Path, scratch: Path
) -> AsyncIterator[tuple[int, int]]:
    """Restore into a scratch directory and start on loopback: count of keys, and revision."""
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    membership = [f"--initial-cluster=one={peer}", f"--initial-advertise-peer-urls={peer}"]
    code, said = await run(
        tool, "snapshot", "restore", str(snapshot), f"--data-dir={scratch}", "--name=one",
        *membership,
    )  # fmt: skip
    assert code == 0, said
    member = Child.start(
        "restored",
        [
            etcd,
            "--name=one",
            f"--data-dir={scratch}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            *membership,
        ],
        log=scratch.with_suffix(".log"),
    )
    ask = (tool, f"--endpoints={client}", "get", "", "--prefix", "--keys-only", "-w=json")
    try:

        async def answers() -> bool:
            return (await run(*ask))[0] == 0

        await eventually(answers, 30, "the restored member answers")
        answer = json.loads((await run(*ask))[1])
        yield answer.get("count", 0), answer["header"]["revision"]
    finally:
        await member.kill()


@pytest.fixture(params=["local", "s3"])
def world(request: pytest.FixtureRequest) -> LocalWorld | S3World:
    """A real place."""
    found: LocalWorld | S3World = request.getfixturevalue(request.param)
    return found


async def test_a_stored_snapshot_is_restored(
    world: LocalWorld | S3World,
    make_cluster: MakeCluster,
    binary: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """Every key is back, as many as the tool counted besides etcd's own entries."""
    tool = binary("etcdctl")
    demo = await make_cluster(size=1)
    for number in range(KEYS):
        await etcdctl(tool, demo, "put", f"key-{number}", os.urandom(8).hex())
    full = await take(demo, tool, tmp_path / "full.db")
    origin = an_origin(await revision(demo, tool))
    snapshot = await world.backups.save(world.cluster, origin, stream(full.data))
    file = tmp_path / "from-the-store.db"
    file.write_bytes(world.bytes_of(snapshot))
    async with restored(tool, binary("etcd"), file, tmp_path / "scratch") as (count, at):
        assert count == KEYS
        assert 0 < snapshot.total_keys - count < OWN_ENTRIES
        assert at == snapshot.revision == origin.revision


async def test_a_compacted_snapshot_is_as_new_as_the_cluster(
    local: LocalWorld, binary: Callable[[str], str], tmp_path: Path
) -> None:
    """etcd itself counts on from the compaction, not from what `snapshot status` says."""
    taken = local.samples.compacted
    snapshot = await local.backups.save(
        local.cluster, an_origin(taken.revision), stream(taken.data)
    )
    where = local.path(snapshot), tmp_path / "scratch"
    async with restored(binary("etcdctl"), binary("etcd"), *where) as (count, at):
        assert count == 2
        assert snapshot.revision < at == taken.revision


async def test_what_we_refuse_cannot_be_restored(
    local: LocalWorld, binary: Callable[[str], str], tmp_path: Path
) -> None:
    """The proof that is asked for here is the one that a restore asks for."""
    data = local.samples.three.data
    for name, spoiled in {
        "flipped": flipped(data, data.index(b"key-1") + 4),
        "cut": data[:-512],
        "copied": data[:-32],
    }.items():
        file = tmp_path / name
        file.write_bytes(spoiled)
        code, said = await run(
            binary("etcdctl"), "snapshot", "restore", str(file), f"--data-dir={file}.data"
        )
        assert code != 0, name
        assert "sha256" in said or "hash" in said
