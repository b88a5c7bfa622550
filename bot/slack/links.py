"""Addresses of messages, asked for once."""

from bot.ports import Feed
from bot.slack.calls import Calls
from procedures.model.ids import ChannelId, RunId


class Links:
    """What Slack said is noted, so that a message with a link does not change without one."""

    def __init__(self, calls: Calls, feed: Feed) -> None:
        self._calls = calls
        self._feed = feed

    async def to(self, run: RunId, channel: ChannelId, ts: str) -> str | None:
        """The address of a message about a run; None while Slack does not tell."""
        name = f"link {ts}"
        link = (await self._feed.notes(run)).get(name)
        if link is None and (link := await self._calls.permalink(channel, ts)) is not None:
            await self._feed.note(run, name, link)
        return link
