"""A worker of one command, to be killed: it follows it on a host and stores what it prints."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.carrying import Hand, InterruptedRun
from bot.store.connection import connect
from bot.store.refusals import LeaseLost
from bot.store.runs import Runs
from bot.store.signing import Keyring, Signer, Writer
from bot.targets.ssh.hosts import SshHosts
from procedures.model.events import Began, Role
from procedures.model.host import Mark
from procedures.model.ids import ClusterName, RunId, Site
from procedures.model.inventory import Cluster, Host, Platform, SshAccess
from procedures.model.redaction.redactor import Redactor
from tests.support.signing import FRONT, WORKER

_LEASE_MS = 1_000
LOST = 3
"""The exit status of a worker that was too slow to keep the run."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to follow, and where it stores that."""

    redis_url: str
    password: str
    signing_keys: tuple[bytes, bytes]
    """A front's and a worker's: keys themselves get into no other process."""
    run: RunId
    site: Site
    port: int
    key: str
    known_hosts: str
    argv: Sequence[str]


def work(task: Task, begun: Connection) -> None:
    """Wait for the run's lease, say so, and go on to the command's end."""
    try:
        asyncio.run(_work(task, begun))
    except* InterruptedRun:
        sys.exit(LOST)


async def _work(task: Task, begun: Connection) -> None:
    access = SshAccess("root", task.key, known_hosts=task.known_hosts)
    cluster = Cluster(ClusterName("demo"), Platform.ETCD, Site("here"), {}, None, ssh=access)
    host, mark = Host("machine-1", "127.0.0.1", task.port), Mark(task.run, 1, 1, "work")
    hand = await _taken(task)
    begun.send(None)
    transcript = hand.work(1).transcript(host.name, mark)
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(hand.keep())
        await SshHosts().run(
            cluster, host, mark, task.argv, limit_ms=600_000, transcript=transcript
        )
        await hand.write()
        keeper.cancel()


async def _taken(task: Task) -> Hand:
    signer, keyring = signing(*map(Ed25519PrivateKey.from_private_bytes, task.signing_keys))
    runs = Runs(connect(task.redis_url, task.password), signer, keyring, lease_ms=_LEASE_MS)
    while True:
        try:
            lease, journal = await runs.take(task.run, task.site)
            journal = await runs.hold(lease, journal, Began("follower"))
        except LeaseLost:
            await asyncio.sleep(0.02)
        else:
            return Hand(runs, lease, journal, await runs.shelf(task.run), Redactor({}))


def signing(front: Ed25519PrivateKey, worker: Ed25519PrivateKey) -> tuple[Signer, Keyring]:
    """The worker's hand, and whom it trusts."""
    writers = (
        Writer(FRONT.id, Role.FRONT, front.public_key()),
        Writer(WORKER.id, Role.WORKER, worker.public_key()),
    )
    return Signer(WORKER.id, worker), Keyring({writer.id: writer for writer in writers})
