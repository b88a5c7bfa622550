"""Snapshots that the real etcd 3.4 wrote."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.processes import environment
from bot.targets.backups.memory import fake_snapshot
from tests.support.etcdctl import etcdctl


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot's bytes, and the revision that the cluster had when it was taken."""

    data: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Samples:
    """Of a cluster that is new, and after 3 and 5 writes; and with its last write compacted away.

    The revision that `snapshot status` gives of the last one is lower than the cluster's.
    """

    new: Taken
    three: Taken
    five: Taken
    compacted: Taken


FAKE = Samples(
    Taken(fake_snapshot(0), 1),
    Taken(fake_snapshot(4, 3), 4),
    Taken(fake_snapshot(6, 5), 6),
    Taken(fake_snapshot(5, 4, compacted=7), 7),
)


async def take_samples(directory: Path, etcd: str, tool: str) -> Samples:
    """Run one member for a few seconds."""
    cluster = await DemoCluster.start(directory / "etcd", size=1, etcd=etcd)
    try:
        found = [await take(cluster, tool, directory / "0.db")]
        for count in (3, 2):
            for number in range(count):
                await etcdctl(tool, cluster, "put", f"key-{number}", str(count))
            found.append(await take(cluster, tool, directory / f"{len(found)}.db"))
        await etcdctl(tool, cluster, "del", "key-2")
        await run(cluster, tool, "compact", "--physical", str(await revision(cluster, tool)))
        found.append(await take(cluster, tool, directory / "3.db"))
    finally:
        await cluster.close(grace=0)
    return Samples(*found)


async def take(cluster: DemoCluster, tool: str, to: Path) -> Taken:
    """Take a snapshot with the real tool."""
    at = await revision(cluster, tool)
    await run(cluster, tool, "snapshot", "save", str(to))
    return Taken(await asyncio.to_thread(to.read_bytes), at)


async def run(cluster: DemoCluster, tool: str, *args: str) -> None:
    """Run a command whose output is no JSON, and has to succeed."""
    process = await asyncio.create_subprocess_exec(
        tool,
        f"--endpoints={next(iter(cluster.endpoints.values()))}",
        f"--cacert={cluster.files.ca}",
        f"--cert={cluster.files.cert}",
        f"--key={cluster.files.key}",
        *args,
        env=environment() | {"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0


async def revision(cluster: DemoCluster, tool: str) -> int:
    """The cluster's revision."""
    return int((await etcdctl(tool, cluster, "get", "none"))["header"]["revision"])
