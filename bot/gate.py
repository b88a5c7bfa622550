"""The store as a front sees it: requests go in within 1.5 s or not at all."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection

from redis.asyncio import Redis

from bot.store.connection import translated
from bot.store.refusals import Conflict
from bot.store.runs import Runs
from bot.store.signing import Journal
from bot.store.unfinished import unfinished, waiting
from procedures.model.errors import InDoubt, QuorumbotError, Retryable
from procedures.model.events import Expired, Requested
from procedures.model.ids import RunId, Site
from procedures.model.inventory import Cluster
from procedures.model.run import Run, State, fold

_log = logging.getLogger(__name__)

ACCEPT_S = 1.5
"""How long the store may take to accept a request, its reply included."""

_REPLY_S = 0.5
"""Of that, the time for the reply: what the store comes to later than that is not accepted."""

EXPIRE_AFTER_MS = 5 * 60 * 1_000
"""A question on which nothing happened for so long is not worth answering any more."""

_BEAT_S = 1.0
_TRY_AGAIN_S = 0.1
_EXPIRE_EVERY_S = 5.0
_LATE = "The queue did not answer within 1.5 s."


class StoreGate:
    """Accepts requests, reads runs, and knows whether the store answers.

    The store's clock is followed by a heartbeat. A request carries the last moment, on that
    clock, at which it may be accepted: a store that hung and comes back does not start what its
    asker was told is not accepted.
    """

    def __init__(
        self,
        redis: Redis,
        runs: Runs,
        sites: Collection[Site],
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._redis = redis
        self._sites = sites
        self._runs = runs
        self._now_ms = now_ms or _now_ms
        self._ahead_ms: int | None = None
        self.fault: str | None = "it was not asked yet"

    async def accept(self, request: Requested, *, source: str) -> RunId:
        """Store a request once per `source`.

        Raises Retryable when it is not stored, InDoubt when nobody can tell.
        """
        if self._ahead_ms is None:
            message = f"The queue does not answer: {self.fault}."
            raise Retryable(message)
        accept_by = _now_ms() + self._ahead_ms + int((ACCEPT_S - _REPLY_S) * 1_000)
        lost: InDoubt | None = None
        try:
            async with asyncio.timeout(ACCEPT_S):
                while _now_ms() + self._ahead_ms < accept_by:
                    try:
                        return await self._runs.accept(
                            request, source=source, accept_by_ms=accept_by
                        )
                    except InDoubt as error:  # a second call finds what the first has stored
                        lost = error
                        await asyncio.sleep(_TRY_AGAIN_S)
        except TimeoutError as error:
            raise InDoubt(_LATE) from error
        raise lost or InDoubt(_LATE)

    async def run(self, run: RunId) -> Run | None:
        """Fold the verified events of a run; what does not verify is logged and left out."""
        return fold((await self.journal(run)).entries)

    async def journal(self, run: RunId) -> Journal:
        """Read the verified events of a run; what does not verify is logged as well."""
        journal = await self._runs.read(run)
        for fault in journal.faults:
            _log.error("ignored: %s", fault)
        return journal

    async def expecting(self, cluster: Cluster) -> Cluster:
        """The cluster with the members that are recorded as expected, where that is believed."""
        return cluster.expecting((await self._runs.expected.read(cluster.name)).expected)

    async def beat(self) -> None:
        """Follow the store's clock until cancelled."""
        while True:
            await self.follow_clock()
            await asyncio.sleep(_BEAT_S)

    async def expire(self) -> None:
        """Put an end to what nobody took up; until cancelled."""
        while True:
            await asyncio.sleep(_EXPIRE_EVERY_S)
            with contextlib.suppress(QuorumbotError):
                await self._expire()

    async def follow_clock(self) -> None:
        """Learn how far the store's clock is ahead, or why it does not answer."""
        try:
            async with asyncio.timeout(ACCEPT_S):
                async with translated():
                    seconds, micros = await self._redis.time()
        except (QuorumbotError, TimeoutError) as error:
            self.fault = str(error) or "it did not answer within 1.5 s"
            return
        self._ahead_ms = int(seconds) * 1_000 + int(micros) // 1_000 - _now_ms()
        self.fault = None

    async def _expire(self) -> None:
        for site in self._sites:
            for name in (*await unfinished(self._redis, site), *await waiting(self._redis, site)):
                journal = await self._runs.read(name)
                run = fold(journal.entries)
                if run is None or (error := self._expired(run)) is None:
                    continue
                with contextlib.suppress(Conflict):
                    await self._runs.append(name, site, journal, Expired(error), then="closed")

    def _expired(self, run: Run) -> str | None:
        """Why a run will not go on; None when it may. One that has begun a step never expires."""
        if run.state.final or run.steps:
            return None
        if run.state is State.WAITING_FOR_APPROVAL:
            late = self._now_ms() >= run.question({}).expires_at_ms
            return "nobody decided in time. Ask again." if late else None
        if run.decided is not None:
            late = self._now_ms() >= run.decided.not_after_ms
            return "it was approved, and could not start in time. Ask again." if late else None
        if self._now_ms() - run.changed_at_ms < EXPIRE_AFTER_MS:
            return None
        return _left_alone(run)


def _left_alone(run: Run) -> str:
    """Why nothing happened on a run."""
    if run.held is not None:
        return "it could not start in time. Ask again when the pause has ended."
    if run.state is State.QUEUED:
        return "no worker took it up within 5 minutes. Check the workers, then ask again."
    return "its worker was lost, and no other took it over. Ask again."


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
