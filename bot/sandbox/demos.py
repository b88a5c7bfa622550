"""The demo cluster, on loopback or on hosts: started, and as the bot is to reach it."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.binaries import snapshot_tools
from bot.sandbox.configuration import Machines
from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.demo.control import Demo
from bot.sandbox.files import StateFiles
from bot.sandbox.testbed import hosted

_ETCD_GRACE = 1.0
"""Short, since the last of a cluster waits in vain for a successor, and a kill costs no data."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Hosts in a network namespace: who wants to reach them has to be in it."""

    namespace: Path
    machines: Machines
    folder: Path
    """For what is to be gone with the hosts."""


@dataclass(frozen=True, slots=True)
class Running:
    """A demo cluster that is up; what a client needs is in the sandbox's folder `demo`."""

    control: Demo
    endpoints: Mapping[str, str]
    tools: Mapping[str, str]
    """What reads its snapshots, by minor of etcd."""
    apart: Apart | None = None


@contextlib.asynccontextmanager
async def on_loopback(files: StateFiles, etcd: str) -> AsyncIterator[Running]:
    """Processes of this binary."""
    cluster = await DemoCluster.start(files.demo, etcd=etcd, logs=files.root / "log")
    try:
        _write_endpoints(files, cluster.endpoints.values())
        yield Running(cluster, cluster.endpoints, await snapshot_tools(etcd))
    finally:
        await cluster.close(_ETCD_GRACE)


@contextlib.asynccontextmanager
async def on_hosts(files: StateFiles, flavour: str, *, furnished: bool) -> AsyncIterator[Running]:
    """Hosts of a testbed, new ones each time; raises SandboxError where there can be none."""
    async with hosted(files, flavour, furnished=furnished) as cluster:
        told = cluster.told
        for source in told.tls:
            target = files.demo / source.name
            target.unlink(missing_ok=True)
            shutil.copy(source, target)
        _write_endpoints(files, told.endpoints.values())
        yield Running(
            cluster,
            told.endpoints,
            told.tools,
            Apart(told.namespace, told.machines, told.folder),
        )


def _write_endpoints(files: StateFiles, urls: Iterable[str]) -> None:
    (files.demo / "endpoints").write_text(f"{','.join(urls)}\n")
