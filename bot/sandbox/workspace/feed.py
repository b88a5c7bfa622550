"""What happens in the workspace, for those who watch it live."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.sandbox.workspace.wire import Wire

_BACKLOG = 5_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One thing that happened; `viewer` is the only user id who may see it, None means all."""

    body: Wire
    viewer: str | None = None


class Watcher:
    """One watcher's backlog; ends when it falls too far behind or the workspace closes."""

    def __init__(self) -> None:
        """Start with an empty backlog."""
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue()

    def push(self, frame: Frame) -> bool:
        """Add a frame; False when the watcher is too far behind, which ends it."""
        if self._queue.qsize() >= _BACKLOG:
            self.end()
            return False
        self._queue.put_nowait(frame)
        return True

    def end(self) -> None:
        """Let `next` return None once the backlog is read."""
        self._queue.put_nowait(None)

    async def next(self) -> Frame | None:
        """Wait for the next frame; None when there will be none."""
        return await self._queue.get()


class Feed:
    """Hands each frame to every watcher."""

    def __init__(self) -> None:
        """Start without watchers."""
        self._watchers: set[Watcher] = set()

    def publish(self, body: Wire, viewer: str | None = None) -> None:
        """Tell every watcher; never blocks."""
        frame = Frame(body, viewer)
        self._watchers = {watcher for watcher in self._watchers if watcher.push(frame)}

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Watch for the length of the block."""
        watcher = Watcher()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def close(self) -> None:
        """End every watcher."""
        for watcher in self._watchers:
            watcher.end()
