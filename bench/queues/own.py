"""Quorumbot's own queue: the front's way of accepting a request, and the worker itself.

The request is one that no worker knows, so that the worker verifies it, takes its lease, finds
nothing to do, and writes its end. It has started when the lease is taken.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.queues.protocol import CONCURRENCY, Enqueue, mark, run
from bot.clock import WallClock
from bot.metrics import Metrics
from bot.process import own_name
from bot.store.connection import connect
from bot.store.queue import Queue
from bot.store.runs import Lease, Runs
from bot.store.signing import Journal, Keyring, Signer, Writer
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.hosts import SshHosts
from bot.worker import Worker
from bot.working import Reach
from procedures.model.events import Requested, Requester, Role
from procedures.model.ids import ClusterName, RunId, Site, TeamId, UserId
from procedures.model.inventory import Inventory

_SITE = Site("bench")
_SIGNERS = {
    role: Signer(f"{role}-1", Ed25519PrivateKey.from_private_bytes(role.encode().ljust(32, b"-")))
    for role in Role
}
_KEYRING = Keyring(
    {
        signer.id: Writer(signer.id, role, signer.key.public_key())
        for role, signer in _SIGNERS.items()
    }
)


class _Marked(Runs):
    """Writes down when a lease is taken."""

    async def take(self, run: RunId, site: Site) -> tuple[Lease, Journal]:
        taken = await super().take(run, site)
        request = taken[1].entries[0].event
        assert isinstance(request, Requested)
        mark(int(str(request.args["job"])))
        return taken


@contextlib.asynccontextmanager
async def producer(url: str) -> AsyncIterator[Enqueue]:
    """As a front accepts requests."""
    async with connect(url, None) as redis:
        runs = Runs(redis, _SIGNERS[Role.FRONT], _KEYRING)
        requester = Requester(UserId("U0BENCH"), TeamId("T0BENCH"), "bench")

        async def enqueue(job: int) -> None:
            request = Requested("no-op", {"job": job}, ClusterName("demo"), _SITE, requester, None)
            await runs.accept(request, source=f"bench:{job}")

        yield enqueue


async def work(url: str) -> None:
    """As `quorumbot worker`, without its HTTP server."""
    reader, hosts = EtcdReader(), SshHosts()
    async with connect(url, None) as redis:
        name = own_name()
        worker = Worker(
            name=name,
            site=_SITE,
            runs=_Marked(redis, _SIGNERS[Role.WORKER], _KEYRING),
            queue=Queue(redis, _SITE),
            world=Reach(
                Inventory(MappingProxyType({})),
                reader,
                WallClock(),
                EtcdActor(),
                None,
                hosts,
                hosts,
            ),
            metrics=Metrics(),
            slots=CONCURRENCY,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.drain)
        await worker.run()
    await reader.close()


if __name__ == "__main__":
    run(producer, work)
