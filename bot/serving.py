"""`quorumbot serve`: the front. It holds Slack's tokens and no key to any cluster."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from aiohttp import web

from bot.config import Config
from bot.control.desk import Desk
from bot.control.table import Controls
from bot.deciding import Decisions
from bot.gate import ACCEPT_S, StoreGate
from bot.http import listening, serve_status
from bot.identity import keyring, signer
from bot.metrics import Metrics
from bot.process import forget_proxies, own_name, until_stopped
from bot.recording import Recorder
from bot.redacting import redact_logs, redactor
from bot.redis_link import link
from bot.slack.clicks import Clicks
from bot.slack.front import Front
from bot.slack.heads import HeadChannel
from bot.slack.http_mode import events_route
from bot.slack.projector import Projector
from bot.slack.reading import Reading
from bot.slack.workspace import Sockets, introduce, make_client
from bot.slack_secrets import SlackSecrets, slack_secrets
from bot.store.audit import AuditLog
from bot.store.feed import Feed
from bot.store.runs import Runs
from procedures.model.events import Role
from procedures.model.ids import ChannelId

_log = logging.getLogger(__name__)

_GRACE_S = 3.0


async def serve(config: Config, http: str | None) -> int:
    """Serve until SIGTERM. `http` is HOST:PORT for Slack's requests; None means Socket Mode."""
    if config.file.slack.api_url:
        forget_proxies()
    secrets = slack_secrets(config, http=http is not None)
    await until_stopped(_serve(config, http, secrets), 2 * _GRACE_S)
    return 0


async def _serve(config: Config, http: str | None, secrets: SlackSecrets) -> None:
    redact_logs(redactor(config))
    metrics = Metrics()
    front: Front | None = None
    sockets: Sockets | None = None
    projector: Projector | None = None
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(link(config))
        feed_redis = await stack.enter_async_context(link(config))
        now_ms = config.clock.now_ms
        runs = Runs(redis, signer(config, Role.FRONT), keyring(config), now_ms=now_ms)
        gate = StoreGate(redis, runs, config.inventory.sites, now_ms)

        def faults() -> Iterator[str]:
            if gate.fault:
                yield f"redis: {gate.fault}"
            if front is None:
                yield "slack: not reached yet"
            if sockets and not sockets.connected:
                yield "slack: no Socket Mode connection"
            if projector and projector.fault:
                yield f"messages are waiting: {projector.fault}"

        await stack.enter_async_context(serve_status(config.file.listen.front, metrics, faults))
        client = make_client(secrets.bot_token, config.file.slack.api_url)
        me = await introduce(client)
        decisions = Decisions(runs, config.inventory.people, now_ms)
        desk = Desk(redis, gate, decisions, config.inventory, now_ms)
        front = Front(
            client=client,
            me=me,
            signing_secret=secrets.signing_secret,
            inventory=config.inventory,
            gate=gate,
            controls=Controls(desk, ACCEPT_S),
            metrics=metrics,
        )
        clicks = Clicks(
            client=client,
            me=me,
            inventory=config.inventory,
            runs=gate,
            gate=gate,
            decisions=decisions,
            metrics=metrics,
        )
        clicks.listen(front.app)
        reading = Reading(client=client, me=me, inventory=config.inventory, runs=gate, output=runs)
        reading.listen(front.app)
        if http:
            await stack.enter_async_context(_events(http, front))
        projector = Projector(
            client=client,
            feed=Feed(feed_redis, own_name(), config.inventory.sites),
            runs=gate,
            output=runs,
            inventory=config.inventory,
            metrics=metrics,
            now_ms=now_ms,
        )
        where = config.file.audit
        recorder = Recorder(
            AuditLog(redis, own_name()),
            signer(config, Role.FRONT),
            keyring(config),
            board=HeadChannel(client, ChannelId(where.channel)) if where else None,
            metrics=metrics,
            now_ms=now_ms,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(gate.beat())
            group.create_task(gate.expire())
            group.create_task(projector.run())
            group.create_task(recorder.run())
            if secrets.app_token:
                sockets = Sockets(front.app, secrets.app_token)
            group.create_task(_receive(sockets, front))
            _log.info("serving")


async def _receive(sockets: Sockets | None, front: Front) -> None:
    """Receive until cancelled; commands in hand are acknowledged before connections close."""
    async with sockets or contextlib.nullcontext():
        try:
            await asyncio.Event().wait()
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await front.idle()


def _events(address: str, front: Front) -> contextlib.AbstractAsyncContextManager[None]:
    async def events(request: web.Request) -> web.StreamResponse:
        return await events_route(front.app, request)

    return listening(address, [web.post("/slack/events", events)])
