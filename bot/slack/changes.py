"""Shows a change, from its planning to its end: its message, its thread, its log."""

import logging
from dataclasses import replace

from bot.ports import Feed, Shown
from bot.slack.blocks import View
from bot.slack.errors import GoneError, NotNowError, RefusedError
from bot.slack.incidents import Incidents
from bot.slack.links import Links
from bot.slack.messages import Messages
from bot.slack.pace import Pace
from bot.slack.plan_views import is_long, plan_parts
from bot.slack.run_log import RunLog
from bot.slack.run_views import Manner, carried_out, run_view
from bot.slack.thread import Below, Thread, plan_posted
from procedures.model.ids import ChannelId, RunId
from procedures.model.inventory import Inventory
from procedures.model.run import Run

_log = logging.getLogger(__name__)

_AT_ONCE_S = 0.01


class Changes:
    """Keeps all that Slack shows of changes up to date."""

    def __init__(
        self,
        *,
        messages: Messages,
        thread: Thread,
        log: RunLog,
        incidents: Incidents,
        links: Links,
        feed: Feed,
        inventory: Inventory,
    ) -> None:
        self._messages = messages
        self._thread = thread
        self._run_log = log
        self._incidents = incidents
        self._links = links
        self._feed = feed
        self._inventory = inventory
        self._paces: dict[RunId, Pace] = {}
        self._plan_blocks = True

    async def show(self, run: Run) -> float:
        """Bring all of it up to date; gives 0, or after how many seconds there is more to show.

        Raises NotNowError. What fails in one place holds nothing up in the other.
        """
        failure: NotNowError | None = None
        wait_s = 0.0
        try:
            wait_s = await self._in_channel(run)
        except NotNowError as error:
            failure = error
        await self._incidents.show(run)
        if failure is not None:
            raise failure
        if run.state.final and not wait_s:
            self._paces.pop(run.id, None)
        return wait_s

    async def _in_channel(self, run: Run) -> float:
        channel = run.request.channel
        if channel is None:
            return 0.0
        pace = self._paces.setdefault(run.id, Pace())
        try:
            below, is_current = await self._message(run, channel, pace)
            wait_s = await self._below(below, pace, is_current=is_current)
        except RefusedError as refused:
            _log.error("run %s cannot be shown in %s: %s", run.id, channel, refused)
            return 0.0
        except GoneError as gone:
            _log.warning("the thread of run %s is gone: %s", run.id, gone)
            await self._feed.forget(run.id)
            raise NotNowError from gone
        waits = [wait_s, 0.0 if is_current else max(_AT_ONCE_S, pace.edit_in_s())]
        return min(filter(None, waits), default=0.0)

    async def _message(self, run: Run, channel: ChannelId, pace: Pace) -> tuple[Below, bool]:
        """Bring the message up to date; a long plan stands below it before it can be decided.

        Tells as well whether the message shows the run as it is now.
        """
        gone = await self._feed.gone(run.id)
        below = Below(run, Shown(channel, "", ""), gone, dict(await self._feed.notes(run.id)))
        parts: tuple[View, ...] = ()
        if run.plan is not None and is_long(run.plan):
            parts = plan_parts(run.id, run.plan)
        if plan_posted(below)[0] < len(parts):
            root = await self._feed.shown(run.id)
            if root is None:
                root, _ = await self._keep(below, channel, pace)
            await self._thread.post_plan(replace(below, root=root), parts)
        root, wanted = await self._keep(below, channel, pace)
        return replace(below, root=root), root.digest == wanted.digest

    async def _keep(self, below: Below, channel: ChannelId, pace: Pace) -> tuple[Shown, View]:
        run = below.run
        manner = await self._manner(below, channel)
        wanted = run_view(run, self._inventory.people, manner)
        try:
            shown = await self._messages.keep(
                run.id, channel, wanted, since_ms=run.changed_at_ms, pace=pace
            )
        except RefusedError as refused:
            if refused.code != "invalid_blocks" or not manner.plan_blocks or not carried_out(run):
                raise
            manner = replace(manner, plan_blocks=False)
            wanted = run_view(run, self._inventory.people, manner)
            shown = await self._messages.keep(
                run.id, channel, wanted, since_ms=run.changed_at_ms, pace=pace
            )
            self._plan_blocks = False
            _log.warning("Slack takes no plan blocks here: steps are shown as sections")
        return shown, wanted

    async def _manner(self, below: Below, channel: ChannelId) -> Manner:
        run = below.run
        posted, first = plan_posted(below)
        plan_link = await self._links.to(run.id, channel, first) if first else None
        earlier: str | None = None
        if below.gone:
            ts = below.notes.get(f"thread {below.gone - 1}")
            earlier = (ts and await self._links.to(run.id, channel, ts)) or ""
        return Manner(self._plan_blocks, posted, plan_link, earlier)

    async def _below(self, below: Below, pace: Pace, *, is_current: bool) -> float:
        """Say what is due in the thread. First the message shows what people are called for."""
        cluster = self._inventory.clusters.get(below.run.request.cluster)
        if cluster is not None and is_current:
            await self._thread.ask(below, cluster.approvers)
        wait_s = await self._thread.tell_output(below, pace)
        if wait_s or not is_current:
            return wait_s
        await self._thread.tell_outcome(below)
        await self._run_log.post(below)
        return 0.0
