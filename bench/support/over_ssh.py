"""A worker's work on one machine over SSH: a real sshd, a real Redis, a worker to be killed."""

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.carrying import Hand
from bot.metrics import Metrics
from bot.sandbox.binaries import find
from bot.store.connection import connect
from bot.store.queue import Queue
from bot.store.runs import Runs
from bot.targets.ssh.hosts import SshHosts
from bot.worker import Worker
from procedures.engine.ports import World
from procedures.model.events import Succeeded
from procedures.model.host import Mark, NeverStarted
from procedures.model.ids import ClusterName, RunId, Site
from procedures.model.inventory import Cluster, Host, Platform, SshAccess
from tests.support.follower import signing
from tests.support.redis import running_redis
from tests.support.requests import a_request
from tests.support.sight import a_sight
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.sshd import Sshd, sshd, why_not

SITE = Site("default")
_LIMIT_MS = 600_000
_START_S = 30.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker of another process has to know."""

    redis_url: str
    password: str
    signing_keys: tuple[bytes, bytes]
    port: int
    key: str
    known_hosts: str

    @property
    def cluster(self) -> Cluster:
        """The one machine as a worker knows it."""
        access = SshAccess("root", self.key, known_hosts=self.known_hosts)
        return Cluster(ClusterName("demo"), Platform.ETCD, SITE, {}, None, ssh=access)

    @property
    def host(self) -> Host:
        """The machine."""
        return Host("machine-1", "127.0.0.1", self.port)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine behind sshd, and the store in which its output ends."""

    server: Sshd
    place: Place
    front: Runs

    async def asked(self, source: str) -> RunId:
        """Let somebody ask for a change."""
        return await self.front.accept(a_request("etcd backup"), source=source)

    def worker(self, argv: Sequence[str]) -> BaseProcess:
        """A worker process that does this command on the machine for each run."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        receive, send = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(self.place, tuple(argv), send), daemon=True)
        worker.start()
        with receive, send:
            if not receive.poll(_START_S):
                worker.kill()
                raise SystemExit("a worker does not start")
        return worker

    def ssh(self, argv: Sequence[str]) -> list[str]:
        """The same with the ssh that people use."""
        options = {
            "IdentityFile": self.place.key,
            "UserKnownHostsFile": self.place.known_hosts,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
        }
        given = [word for each in options.items() for word in ("-o", "=".join(each))]
        return ["ssh", "-F", "none", *given, "-p", str(self.place.port), "root@127.0.0.1", *argv]


@asynccontextmanager
async def machine() -> AsyncIterator[Machine]:
    """All of it below a temporary folder; gone with the context."""
    if reason := why_not():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="quorumbot-bench-") as folder:
        directory = _rooms(folder)
        binary = find("redis-server")["redis-server"]
        async with (
            sshd(directory / "sshd") as server,
            running_redis(binary, directory / "redis") as store,
        ):
            place = Place(
                store.url,
                store.password,
                (FRONT.key.private_bytes_raw(), WORKER.key.private_bytes_raw()),
                server.port,
                str(server.user_key),
                server.known_hosts(directory / "known_hosts", server.port),
            )
            redis = connect(store.url, store.password)
            yield Machine(server, place, Runs(redis, FRONT, KEYRING))
            await redis.aclose()


def _rooms(folder: str) -> Path:
    directory = Path(folder)
    for name in ("sshd", "redis"):
        (directory / name).mkdir()
    directory.chmod(0o755)  # users have to reach their keys
    return directory


def work(place: Place, argv: Sequence[str], begun: Connection) -> None:
    """Work as `quorumbot worker` does; but for the plan, which is this command."""
    asyncio.run(_work(place, argv, begun))


async def _work(place: Place, argv: Sequence[str], begun: Connection) -> None:
    hosts = SshHosts()

    async def change(hand: Hand, _: World) -> None:
        mark = Mark(hand.run.id, 1, 1, "print")
        where = (place.cluster, place.host)
        if hand.run.attempts > 1:
            trace = await hosts.settle(*where, mark)
            assert not isinstance(trace, NeverStarted), "it was killed too early"
        transcript = hand.work(1).transcript(place.host.name, mark)
        await hosts.run(*where, mark, argv, limit_ms=_LIMIT_MS, transcript=transcript)
        await hand.write(Succeeded())

    redis = connect(place.redis_url, place.password)
    signer, keyring = signing(*map(Ed25519PrivateKey.from_private_bytes, place.signing_keys))
    worker = Worker(
        name=f"worker-{os.getpid()}",
        site=SITE,
        runs=Runs(redis, signer, keyring),
        queue=Queue(redis, SITE),
        world=a_sight(),
        metrics=Metrics(),
    )
    with patch("bot.worker.change", change):
        begun.send(time.time())
        await worker.run()
