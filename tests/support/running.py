"""Starting sandboxes for tests, mending them between tests, and ending them without a trace."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bot.sandbox.demo.health import Health
from bot.sandbox.demo.pki import Files
from procedures.model.errors import QuorumbotError
from tests.support.sandbox import MEMBERS, Sandbox
from tests.support.sandboxes import REAL
from tests.support.sandboxes import sandbox as sandbox_process
from tests.support.waiting import alive, eventually


@asynccontextmanager
async def running_sandbox(temporary: Path, *args: str) -> AsyncIterator[Sandbox]:
    """`quorumbot sandbox`, ended with Ctrl-C: exit status 0, and no process is left."""
    directory = temporary / "kept"
    arguments = ("--port", "0", "--dir", str(directory), *args)
    async with sandbox_process(temporary, *arguments, command=REAL) as process:
        await process.ready()
        sandbox = Sandbox(process.url, directory)
        yield sandbox
        pids = sandbox.processes.all().values()
        process.signal(signal.SIGINT)
        assert await process.ended(30) == 0, await process.errors()
        await eventually(lambda: not process.survivors(), 10, f"left: {process.survivors()}")
        assert not [pid for pid in pids if alive(pid)]


async def mend(sandbox: Sandbox) -> None:
    """Bring everything back that a test broke, and wait until the last run has its answer."""
    await sandbox.clear_faults()
    for name in sandbox.processes.all():
        if not name.startswith("etcd-"):
            sandbox.processes.send(name, signal.SIGCONT)
    for member in MEMBERS:
        with suppress(AssertionError):  # it is not frozen
            await sandbox.cluster(member, "thaw")
        if f"etcd-{member}" not in sandbox.processes.all():
            await sandbox.cluster(member, "start")
    await eventually(sandbox.is_ready, 60, "front and worker are ready")
    await eventually(lambda: _is_well(sandbox), 60, "the demo cluster is healthy")
    await eventually(lambda: _is_idle(sandbox), 60, "no run is open")


async def _is_well(sandbox: Sandbox) -> bool:
    demo = sandbox.directory / "demo"
    health = Health(Files(demo / "ca.crt", demo / "client.crt", demo / "client.key"))
    endpoints = sandbox.config.inventory.clusters
    return not await health.unhealthy(
        {
            str(name): url
            for cluster in endpoints.values()
            for name, url in cluster.endpoints.items()
        }
    )


async def _is_idle(sandbox: Sandbox) -> bool:
    try:
        return await sandbox.store().idle()
    except QuorumbotError:
        return False
