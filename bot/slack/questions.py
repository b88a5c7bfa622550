"""Shows a question and its answer: one message."""

import logging

from bot.slack.errors import RefusedError
from bot.slack.messages import Messages
from bot.slack.views import view
from procedures.model.run import Run

_log = logging.getLogger(__name__)


class Questions:
    """Keeps the messages of questions up to date."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    async def show(self, run: Run) -> None:
        """Bring a question's message up to date, or find that it never will be."""
        channel = run.request.channel
        if channel is None:
            return
        since_ms = run.ended_at_ms or run.requested_at_ms
        try:
            await self._messages.keep(run.id, channel, view(run, {}), since_ms=since_ms)
        except RefusedError as refused:
            _log.error("run %s cannot be shown in %s: %s", run.id, channel, refused)
