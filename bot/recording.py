"""Extends the audit log, and publishes its heads. One front at a time does this."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from bot.metrics import Metrics
from bot.ports import Board
from bot.store.audit import AuditLog, Due, Tail
from bot.store.links import extension
from bot.store.signing import Keyring, Signer
from procedures.model.audit import Head, is_due
from procedures.model.canonical import digest
from procedures.model.errors import QuorumbotError
from procedures.model.plan import Risk
from procedures.model.run import fold

_log = logging.getLogger(__name__)

_RUNS = 10
"""So many runs are recorded in one call of the store."""

_PAUSE_S = 0.5

_BROKEN = (
    "the audit log was changed: entry %s is not there any more, so nothing more is recorded. "
    "`quorumbot audit verify` tells more; restart all fronts to go on from what is there."
)


class Recorder:
    """Records each event of each run that changes something, once, and publishes heads on a board.

    A front that has seen an entry extends no log without it: else it would publish heads that
    vouch for a log that was rolled back.
    """

    def __init__(
        self,
        log: AuditLog,
        signer: Signer,
        keyring: Keyring,
        *,
        board: Board | None,
        metrics: Metrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._audit = log
        self._signer = signer
        self._keyring = keyring
        self._board = board
        self._metrics = metrics
        self._now_ms = now_ms
        self._seen: Head | None = None
        self._leading = False
        self._is_broken = False

    async def run(self) -> None:
        """Record and publish whenever no other front does; until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._repeat("extended", self.record, 2.0))
                group.create_task(self._repeat("published", self.publish, 15.0))
        finally:
            with contextlib.suppress(QuorumbotError):
                await self._audit.resign()

    async def record(self) -> int:
        """Record what is due, and say how many events that was; 0 where another front does it."""
        recorded = 0
        self._leading = False
        self._leading = await self._audit.lead()
        while (tail := await self._tail()) and self._leading:
            due = await self._audit.due(_RUNS)
            events = [
                (each.run, seq, each.stored[seq])
                for each in due
                for seq in range(each.recorded, len(each.stored))
            ]
            links = extension(self._signer, tail.head, events, self._now_ms())
            publish = any(self._ends_destruction(each) for each in due)
            if not due:
                break
            if not await self._audit.append(tail, due, links, publish=publish):
                _log.warning("the audit log is not extended: it was changed in the same moment")
                break
            if links:
                self._seen = Head(tail.length + len(links), digest(links[-1]))
            recorded += len(links)
        return recorded

    async def publish(self) -> None:
        """Publish the head when it is time, unless another front does it."""
        if self._board is None or not self._leading or not (tail := await self._tail()):
            return
        head, now_ms = tail.head, self._now_ms()
        if head is not None and is_due(head, await self._audit.published(), now_ms):
            await self._board.post(head)
            await self._audit.remember(head, now_ms)

    async def _tail(self) -> Tail | None:
        """The end of the log; None while it does not go on from what was seen before."""
        tail = await self._audit.tail(self._seen)
        if not tail.follows and not self._is_broken:
            _log.error(_BROKEN, self._seen)
        self._is_broken = not tail.follows
        self._metrics.audit_broken.set(self._is_broken)
        if self._is_broken:
            return None
        self._seen = tail.head or self._seen
        return tail

    def _ends_destruction(self, due: Due) -> bool:
        """Tell whether these events end a run that may have destroyed something."""
        journal = self._keyring.read(due.run, due.stored)
        for fault in journal.faults:
            _log.error("recorded as it is: %s", fault)
        run = fold(journal.entries)
        if run is None or run.plan is None or not run.state.final:
            return False
        return run.plan.risk is Risk.DESTRUCTIVE and len(due.stored) > due.recorded

    async def _repeat(
        self, what: str, step: Callable[[], Awaitable[object]], longest_s: float
    ) -> None:
        pause_s = _PAUSE_S
        while True:
            try:
                await step()
                pause_s = _PAUSE_S
            except QuorumbotError as error:
                _log.warning("the audit log is not %s: %s", what, error)
                pause_s = min(2 * pause_s, longest_s)
            await asyncio.sleep(pause_s)
