"""One message for each run, kept as it should be: posted once, then edited in place."""

import logging
import time

from bot.metrics import Metrics
from bot.ports import Feed, Showing, Shown
from bot.slack.blocks import View
from bot.slack.calls import Calls
from bot.slack.errors import GoneError, NotNowError
from bot.slack.pace import Pace
from procedures.model.ids import ChannelId, RunId

_log = logging.getLogger(__name__)

_OLDER = ""
"""Stands for the digest of a message that shows something older than it should."""


class Messages:
    """Posts, edits, and posts anew what was deleted; the store remembers where each is."""

    def __init__(self, calls: Calls, feed: Feed, metrics: Metrics) -> None:
        self._calls = calls
        self._feed = feed
        self._metrics = metrics

    async def keep(
        self,
        run: RunId,
        channel: ChannelId,
        wanted: View,
        *,
        since_ms: int,
        what: Showing = "run",
        pace: Pace | None = None,
    ) -> Shown:
        """Bring a message up to date; tells where it is, and what it shows then.

        It stays as it is where an edit would come too early for its `pace`. `since_ms` is when
        that happened what it is to tell. Raises as `Calls` does; a message that is gone is posted
        anew the next time.
        """
        shown = await self._feed.shown(run, what)
        try:
            if shown is None:
                shown = await self._post(run, channel, wanted, what)
            elif shown.digest == wanted.digest or (pace and pace.edit_in_s() > 0):
                return shown
            if shown.digest != wanted.digest:
                await self._calls.update(shown.channel, shown.ts, wanted)
                shown = Shown(shown.channel, shown.ts, wanted.digest)
                await self._feed.show(run, shown, what)
                if pace:
                    pace.edited()
        except GoneError as gone:
            _log.warning("the message of run %s is gone: %s", run, gone)
            await self._feed.forget(run, what)
            raise NotNowError from gone
        self._metrics.slack_lag_seconds.observe(max(0.0, time.time() - since_ms / 1_000))
        return shown

    async def _post(self, run: RunId, channel: ChannelId, wanted: View, what: Showing) -> Shown:
        """Post, unless it was posted already and only the reply, or the front, was lost."""
        gone = await self._feed.gone(run, what)
        purpose = ("" if what == "run" else f" {what}") + (f" again {gone}" if gone else "")
        posted = await self._calls.post(run, purpose, channel, wanted)
        digest = wanted.digest if posted.shows(wanted) else _OLDER
        shown = Shown(channel, posted.ts, digest)
        await self._feed.show(run, shown, what)
        return shown
