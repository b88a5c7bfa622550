"""`quorumbot worker`: holds the keys to clusters and no token of Slack's."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from bot.backups import make_backups
from bot.config import Config, ConfigError
from bot.http import serve_status
from bot.identity import keyring, signer
from bot.metrics import Metrics
from bot.process import own_name, until_stopped
from bot.redacting import redact_logs, redactor
from bot.redis_link import link
from bot.store.queue import Queue
from bot.store.runs import Runs
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.hosts import SshHosts
from bot.worker import Worker
from procedures.engine.hosts import HostAct, HostLook
from procedures.engine.ports import Backups, Clock, EtcdAct, EtcdLook
from procedures.model.events import Role
from procedures.model.ids import Site
from procedures.model.inventory import Inventory

_log = logging.getLogger(__name__)

DRAIN_S = 30.0
"""How long a worker that is told to stop may finish what it has in hand."""


@dataclass(frozen=True, slots=True)
class Reach:
    """All that procedures may look at and act on, as a worker provides it."""

    inventory: Inventory
    etcd: EtcdLook
    clock: Clock
    act: EtcdAct
    backups: Backups | None
    hosts: HostLook
    on_hosts: HostAct


async def work(config: Config, site: str) -> int:
    """Work for a site until SIGTERM, then finish what is in hand."""
    if site not in config.file.sites:
        raise ConfigError((f"--site: {site!r} is not among `sites`",))
    await until_stopped(_work(config, Site(site)), DRAIN_S + 5)
    return 0


async def _work(config: Config, site: Site) -> None:
    known = redactor(config)
    redact_logs(known)
    metrics, name, clock = Metrics(), own_name(), config.clock
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(link(config))
        reader = EtcdReader()
        stack.push_async_callback(reader.close)
        actor = EtcdActor()
        stack.push_async_callback(actor.close)
        hosts = SshHosts()
        stack.push_async_callback(hosts.close)
        backups = make_backups(config, site)
        worker = Worker(
            name=name,
            runs=Runs(redis, signer(config, Role.WORKER), keyring(config), now_ms=clock.now_ms),
            queue=Queue(redis, site),
            site=site,
            world=Reach(config.inventory, reader, clock, actor, backups, hosts, hosts),
            metrics=metrics,
            redactor=known,
        )

        def faults() -> Iterator[str]:
            if worker.fault:
                yield f"redis: {worker.fault}"

        await stack.enter_async_context(serve_status(config.file.listen.worker, metrics, faults))
        _log.info("working for site %s as %s", site, name)
        working = asyncio.create_task(worker.run())
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            worker.drain()
            done, _ = await asyncio.wait([working], timeout=DRAIN_S)
            if not done:
                _log.warning("stopped with work in hand; another worker takes it over")
            raise
