"""The places in which the contract of backups is tested: memory, a directory, a bucket."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bot.targets.backups.folder import SCRATCH
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.memory import MemoryBackups
from bot.targets.backups.naming import record_name
from bot.targets.backups.s3 import S3Backups
from bot.targets.backups.tools import Tools
from procedures.engine.ports import Backups
from procedures.model.inventory import Cluster
from procedures.model.snapshot import Snapshot
from tests.contract.backups.real import FAKE, Samples
from tests.contract.backups.store import REGION, S3Server
from tests.contract.backups.values import a_cluster, an_origin, stream
from tests.support.sight import FakeClock


class World(Protocol):
    """Backups, snapshots to save in them, and a hand that can spoil what is stored."""

    clock: FakeClock
    samples: Samples
    cluster: Cluster

    @property
    def backups(self) -> Backups: ...
    def bytes_of(self, snapshot: Snapshot) -> bytes: ...
    def put(self, snapshot: Snapshot, data: bytes | None) -> None: ...
    def everything(self) -> set[str]: ...


async def save(world: World, cluster: Cluster | None = None, *, quorum: bool = True) -> Snapshot:
    """Save the sample with three writes."""
    taken = world.samples.three
    origin = an_origin(taken.revision, quorum=quorum)
    return await world.backups.save(cluster or world.cluster, origin, stream(taken.data))


@dataclass(slots=True)
class MemoryWorld:
    """The twin."""

    clock: FakeClock = field(default_factory=FakeClock)
    samples: Samples = FAKE
    cluster: Cluster = field(default_factory=a_cluster)
    backups: MemoryBackups = field(init=False)

    def __post_init__(self) -> None:
        self.backups = MemoryBackups(self.clock)

    def bytes_of(self, snapshot: Snapshot) -> bytes:
        return self.backups.stored[snapshot.name][1]

    def put(self, snapshot: Snapshot, data: bytes | None) -> None:
        if data is None:
            del self.backups.stored[snapshot.name]
        else:
            self.backups.stored[snapshot.name] = snapshot, data

    def everything(self) -> set[str]:
        found = self.backups.stored
        return {*found, *map(record_name, found)}


class LocalWorld:
    """A directory, and the real tool."""

    def __init__(self, directory: Path, samples: Samples, tool: str) -> None:
        self.clock, self.samples, self.cluster = FakeClock(), samples, a_cluster()
        self.directory = directory
        self.backups = LocalBackups(directory, Tools({"3.4": tool}), self.clock)

    def path(self, snapshot: Snapshot) -> Path:
        return self.directory / snapshot.cluster / snapshot.name

    def bytes_of(self, snapshot: Snapshot) -> bytes:
        return self.path(snapshot).read_bytes()

    def put(self, snapshot: Snapshot, data: bytes | None) -> None:
        if data is None:
            self.path(snapshot).unlink()
        else:
            self.path(snapshot).write_bytes(data)

    def everything(self) -> set[str]:
        files = (path.name for path in self.directory.rglob("*") if path.is_file())
        return {name for name in files if name != ".lock"}


class S3World:
    """A bucket, and the real tool."""

    def __init__(
        self, server: S3Server, bucket: str, spool: Path, samples: Samples, tool: str
    ) -> None:
        self.clock, self.samples, self.cluster = FakeClock(), samples, a_cluster()
        self.server, self.bucket, self.spool = server, bucket, spool
        self.backups = S3Backups(
            server.place(bucket), "etcd/here", spool, Tools({"3.4": tool}), self.clock
        )

    def key(self, snapshot: Snapshot) -> str:
        return f"etcd/here/{snapshot.cluster}/{snapshot.name}"

    def bytes_of(self, snapshot: Snapshot) -> bytes:
        found = self.server.client.get_object(Bucket=self.bucket, Key=self.key(snapshot))
        return found["Body"].read()

    def put(self, snapshot: Snapshot, data: bytes | None) -> None:
        key = self.key(snapshot)
        if data is None:
            self.server.client.delete_object(Bucket=self.bucket, Key=key)
        else:
            self.server.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def everything(self) -> set[str]:
        listed = self.server.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        names = {found["Key"].rpartition("/")[2] for found in listed}
        return names | {path.name for path in self.spool.rglob(f"{SCRATCH}*")}


@contextlib.asynccontextmanager
async def s3_world(
    server: S3Server, bucket: str, spool: Path, samples: Samples, binary: Callable[[str], str]
) -> AsyncIterator[S3World]:
    """Make a bucket and use it."""
    server.client.create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    world = S3World(server, bucket, spool, samples, binary("etcdctl"))
    try:
        yield world
    finally:
        world.backups.close()
