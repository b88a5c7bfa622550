"""Commands from Slack: who asks and where is checked first, then the words; then it is stored,
and only then acknowledged. The front never looks at a cluster.
"""

import asyncio
import logging
import time
from functools import partial
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.metrics import Metrics
from bot.ports import Caller, Controls, Eligible, Gate
from bot.requests import request
from bot.slack.approvers import People
from bot.slack.directory import Directory
from bot.slack.text import private
from bot.slack.workspace import Self
from commands.access import Place, require_asker, require_channel, require_place
from commands.catalogue import REGISTRY
from commands.grammar import Help, parse
from commands.help import render
from procedures.model.errors import InDoubt, Refused, Retryable, UsageError
from procedures.model.events import Requester
from procedures.model.ids import ChannelId, TeamId, UserId
from procedures.model.inventory import Cluster, Inventory

_log = logging.getLogger(__name__)

_UNLESS = "Nothing was started, unless a message about it appears here; ask again in a moment."


class Front:
    """The Bolt application and what its handlers need."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        me: Self,
        signing_secret: str | None,
        inventory: Inventory,
        gate: Gate,
        controls: Controls,
        metrics: Metrics,
    ) -> None:
        installed = AuthorizeResult(
            enterprise_id=None, team_id=me.team, bot_token=client.token, bot_user_id=me.user
        )

        async def authorize() -> AuthorizeResult:
            return installed

        self.app = AsyncApp(
            client=AsyncWebClient(base_url=client.base_url, timeout=client.timeout),
            authorize=authorize,
            signing_secret=signing_secret,
            request_verification_enabled=signing_secret is not None,
            ignoring_self_events_enabled=False,
        )
        self._directory = Directory(client)
        self._people = People(client, me.team)
        self._team = me.team
        self._inventory = inventory
        self._gate = gate
        self._controls = controls
        self._metrics = metrics
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()
        for word in REGISTRY.groups:
            self.app.command(f"/{word}")(self._command)
        self.app.error(self._unexpected)

    async def idle(self) -> None:
        """Wait until no command is in hand."""
        await self._idle.wait()

    async def _command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        self._in_hand += 1
        self._idle.clear()
        try:
            await self._acknowledge(ack, body)
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    async def _acknowledge(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        began = time.monotonic()
        try:
            text, outcome = await self._answer(body), "accepted"
        except UsageError as error:
            text, outcome = str(error), "usage"
        except Refused as error:
            text, outcome = str(error), "refused"
        except Retryable as error:
            text = f"Not accepted: {error} Nothing was started; ask again in a moment."
            outcome = "not_accepted"
        except InDoubt as error:
            text = f"Not accepted: {error} {_UNLESS}"
            outcome = "not_accepted"
        await (ack(text=private(text), response_type="ephemeral") if text else ack())
        self._metrics.commands.labels(body.get("command", ""), outcome).inc()
        self._metrics.ack_seconds.observe(time.monotonic() - began)

    async def _answer(self, body: dict[str, Any]) -> str | None:
        """Check, understand and store a command. Text is for the asker only; None: it is queued."""
        channel = ChannelId(body["channel_id"])
        allowed = channel in self._inventory.channels
        asker, place = await asyncio.gather(
            self._directory.asker(UserId(body["user_id"])),
            self._directory.place(channel) if allowed else _nowhere(),
        )
        require_asker(asker, self._team, TeamId(body.get("team_id") or ""))
        require_channel(channel, self._inventory)
        if place is not None:
            require_place(place)
        wanted = parse(REGISTRY, self._inventory, body["command"], body.get("text") or "", channel)
        clusters = self._inventory.in_channel(channel)
        if isinstance(wanted, Help):
            return render(
                REGISTRY, wanted, lambda command: bool(clusters) or not command.on_cluster
            )
        requester = Requester(asker.user, asker.team, asker.name)
        source = f"slash:{body['trigger_id']}"
        if wanted.command.procedure is None:
            caller = Caller(requester, channel, source, self._eligible)
            return "\n".join((await self._controls.answer(wanted, caller)).lines)
        await self._gate.accept(request(wanted, requester, channel), source=source)
        return None

    def _eligible(self, cluster: Cluster) -> Eligible:
        return partial(self._people.may_approve, cluster)

    async def _unexpected(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """The one place where surprises end: a log line, and words instead of silence."""
        _log.error("unexpected failure", exc_info=error)
        text = (
            "Not accepted: something went wrong inside Quorumbot, and its log says what. "
            "Nothing was started."
        )
        self._metrics.commands.labels(body.get("command", ""), "error").inc()
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})


async def _nowhere() -> Place | None:
    return None
