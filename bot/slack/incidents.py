"""Tells a cluster's incident channel of changes: one message for each, edited as it goes on."""

import logging

from bot.ports import Feed
from bot.slack.errors import RefusedError
from bot.slack.incident_views import incident_view
from bot.slack.links import Links
from bot.slack.messages import Messages
from procedures.model.inventory import Inventory
from procedures.model.run import Run

_log = logging.getLogger(__name__)


class Incidents:
    """Keeps those messages up to date."""

    def __init__(self, messages: Messages, links: Links, feed: Feed, inventory: Inventory) -> None:
        self._messages = messages
        self._links = links
        self._feed = feed
        self._inventory = inventory

    async def show(self, run: Run) -> None:
        """Tell how a change stands; nothing of a plan alone, or where its message is anyway."""
        cluster = self._inventory.clusters.get(run.request.cluster)
        channel = cluster.incident_channel if cluster else None
        if channel is None or run.request.plan_only or channel == run.request.channel:
            return
        shown = await self._feed.shown(run.id)
        link = await self._links.to(run.id, shown.channel, shown.ts) if shown else None
        view = incident_view(run, self._inventory.people, link)
        try:
            await self._messages.keep(
                run.id, channel, view, what="incident", since_ms=run.changed_at_ms
            )
        except RefusedError as refused:
            _log.error("run %s cannot be told in %s: %s", run.id, channel, refused)
