"""Clicks on a run's buttons: checked like commands, then written down, then acknowledged.

Where Slack does not say in time who somebody is, the click is acknowledged and tried again.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.metrics import Metrics
from bot.ports import Decision, Decisions, Gate, RunReader, Verdict
from bot.slack.approvers import People
from bot.slack.pressing import Press, pressed
from bot.slack.text import escaped
from bot.slack.workspace import Self
from bot.undoing import undoing
from procedures.model.errors import QuorumbotError, Retryable
from procedures.model.ids import UserId
from procedures.model.inventory import Inventory

_VOTES: Mapping[str, Decision] = {"run.approve": "approve", "run.reject": "reject"}
_VERDICTS: Mapping[str, Verdict] = {
    "run.happened": "happened",
    "run.not_happened": "not_happened",
    "run.stop": "stop",
}
_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Pauses before a click is tried again: Slack answers some questions only 20 times a minute."""

ACTIONS = (*_VOTES, *_VERDICTS, "run.cancel", "run.done", "run.resume", "run.undo")


class Clicks:
    """Handles the buttons of run messages. What is refused is told to whoever clicked, only."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        me: Self,
        inventory: Inventory,
        runs: RunReader,
        gate: Gate,
        decisions: Decisions,
        metrics: Metrics,
    ) -> None:
        self._client = client
        self._team = me.team
        self._inventory = inventory
        self._runs = runs
        self._gate = gate
        self._decisions = decisions
        self._people = People(client, me.team)
        self._metrics = metrics

    def listen(self, app: AsyncApp) -> None:
        """Let an application hand clicks over."""
        for action in ACTIONS:
            app.action(action)(self._click)

    async def _click(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        try:
            words = await self._decided(body)
            await ack()
        except Retryable as error:
            await ack()
            await _tell(respond, f"{error} It is tried again for {sum(_AGAIN_S):.0f} s.")
            words = await self._later(body)
        if words is not None:
            await _tell(respond, words)

    async def _later(self, body: dict[str, Any]) -> str | None:
        """Decide as soon as it can be decided. Gives words for whoever clicked."""
        words = ""
        for pause in _AGAIN_S:
            await asyncio.sleep(pause)
            try:
                return await self._decided(body)
            except Retryable as error:
                words = f"{error} Nothing was decided: click again."
        self._metrics.approvals.labels("refused").inc()
        return words

    async def _decided(self, body: dict[str, Any]) -> str | None:
        """Decide, or say why not. Raises Retryable."""
        outcome, words = body["actions"][0]["action_id"].removeprefix("run."), None
        try:
            await self._decide(body)
        except Retryable:
            raise
        except QuorumbotError as error:
            outcome, words = "refused", str(error)
        self._metrics.approvals.labels(outcome).inc()
        return words

    async def _decide(self, body: dict[str, Any]) -> None:
        press = await pressed(self._client, self._team, self._inventory, self._runs, body)
        run, user, digest = press.run, press.user, press.digest
        cluster = self._inventory.clusters[run.request.cluster]

        async def eligible(users: Iterable[UserId]) -> frozenset[UserId]:
            return await self._people.may_approve(cluster, users)

        async def likely(users: Iterable[UserId]) -> frozenset[UserId]:
            return frozenset(users) & await self._people.approvers(cluster)

        name = press.action
        if name in _VOTES:
            await self._decisions.vote(run.id, user, _VOTES[name], digest, eligible, likely=likely)
        elif name in _VERDICTS:
            verdict, asked = _VERDICTS[name], press.asked
            await self._decisions.settle(run.id, user, verdict, digest, eligible, asked=asked)
        elif name == "run.cancel":
            await self._decisions.cancel(run.id, user, eligible)
        elif name == "run.done":
            asked, source = press.asked, press.source
            await self._decisions.report(run.id, user, eligible, asked=asked, source=source)
        elif name == "run.undo":
            await self._undo(press)
        else:
            await self._decisions.resume(run.id, user, eligible)

    async def _undo(self, press: Press) -> None:
        """Ask for what takes the run back; each request is approved like any other."""
        for step, _, request in undoing(press.run, press.who, press.channel).requests:
            await self._gate.accept(request, source=f"{press.source}:undo:{step.number}")


async def _tell(respond: AsyncRespond, words: str) -> None:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        await respond(text=escaped(words), response_type="ephemeral", replace_original=False)
