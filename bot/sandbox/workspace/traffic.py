"""The record of every Web API call."""

import json
from collections import deque

from bot.sandbox.workspace.clock import Clock
from bot.sandbox.workspace.credentials import Credentials
from bot.sandbox.workspace.feed import Feed
from bot.sandbox.workspace.wire import Wire

_KEPT = 10_000


class Traffic:
    """The last calls in order, numbered from 1, without secrets."""

    def __init__(self, clock: Clock, feed: Feed, credentials: Credentials) -> None:
        """Start empty; each call is told to `feed`."""
        self._clock = clock
        self._feed = feed
        self._credentials = credentials
        self._entries: deque[Wire] = deque(maxlen=_KEPT)
        self._count = 0

    def record(
        self, *, method: str, args: Wire, status: int, response: Wire, started: float, ms: float
    ) -> None:
        """Add one call; `started` is workspace time in Unix seconds."""
        self._count += 1
        # A ticket opens a socket, so it is a secret like the tokens.
        shown = response | {"url": "…"} if "ticket=" in str(response.get("url")) else response
        entry: Wire = {
            "n": self._count,
            "at": started,
            "method": method,
            "args": json.loads(self._credentials.mask(json.dumps(args))),
            "status": status,
            "response": shown,
            "ms": round(ms, 1),
        }
        self._entries.append(entry)
        self._feed.publish({"type": "traffic", "entry": entry})

    def since(self, number: int, method: str | None) -> list[Wire]:
        """Return the calls after number `number`, of one method if given."""
        return [
            entry
            for entry in self._entries
            if entry["n"] > number and method in (None, entry["method"])
        ]
