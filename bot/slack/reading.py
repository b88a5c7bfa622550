"""The buttons that only show more of a run, to whoever clicked: its latest output, its plan."""

import logging
from typing import Any

import aiohttp
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Output, RunReader
from bot.slack.blocks import View
from bot.slack.errors import error_code
from bot.slack.excerpts import excerpt
from bot.slack.plan_views import plan_parts
from bot.slack.pressing import Press, pressed
from bot.slack.text import escaped
from bot.slack.workspace import Self
from procedures.model.errors import QuorumbotError
from procedures.model.inventory import Inventory

_log = logging.getLogger(__name__)

ACTIONS = ("run.log", "run.plan")

_LINES = 30


class Reading:
    """Answers those buttons; it changes nothing."""

    def __init__(
        self,
        *,
        client: AsyncWebClient,
        me: Self,
        inventory: Inventory,
        runs: RunReader,
        output: Output,
    ) -> None:
        self._client = client
        self._team = me.team
        self._inventory = inventory
        self._runs = runs
        self._output = output

    def listen(self, app: AsyncApp) -> None:
        """Let an application hand clicks over."""
        for action in ACTIONS:
            app.action(action)(self._click)

    async def _click(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        channel, user = body["channel"]["id"], body["user"]["id"]
        try:
            for view in await self._answer(body):
                await self._client.chat_postEphemeral(
                    channel=channel,
                    user=user,
                    text=view.text,
                    blocks=list(view.blocks) or None,
                )
        except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("a click was not answered: %s", error_code(error))

    async def _answer(self, body: dict[str, Any]) -> tuple[View, ...]:
        try:
            press = await pressed(self._client, self._team, self._inventory, self._runs, body)
            if press.action == "run.log":
                return (await self._log(press),)
            return _plan(press)
        except QuorumbotError as error:
            return (View(escaped(str(error)), ()),)

    async def _log(self, press: Press) -> View:
        latest = await self._output.output(press.run.id, -_LINES)
        if not latest:
            return View(f"Run {press.run.id} has no output yet.", ())
        where = "\nAll of it is a file in the thread." if press.run.state.final else ""
        return View(excerpt(latest, latest[0].seq, latest=True) + where, ())


def _plan(press: Press) -> tuple[View, ...]:
    if press.run.plan is None:
        return (View(f"Run {press.run.id} has no plan yet.", ()),)
    return plan_parts(press.run.id, press.run.plan)
