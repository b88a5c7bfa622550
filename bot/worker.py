"""A worker: receives wake-ups, takes a run's lease, answers, and writes down each answer.

The lease is the only heartbeat. Whoever loses it stops at once, and can write nothing any more.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from bot.metrics import Metrics
from bot.store.queue import Queue
from bot.store.runs import Conflict, Lease, LeaseLost, Runs
from bot.store.signing import Journal
from procedures.catalogue import INQUIRIES
from procedures.engine.ports import Look
from procedures.model.errors import Permanent, QuorumbotError
from procedures.model.events import Answered, Began, Event, Failed, Succeeded
from procedures.model.ids import RunId, Site
from procedures.model.report import HealthReport, MembersReport, Verdict
from procedures.model.run import Run, fold

_log = logging.getLogger(__name__)

ATTEMPTS = 3
"""So often a question is taken up before it is given up: something about it kills workers."""

STALE_MS = 5 * 60 * 1_000
"""A question that is older is not answered any more."""

LONGEST_S = 120.0
"""A question that takes longer is given up."""

_WAIT_MS = 1_000
_SWEEP_S = 1.0
_PAUSE_S = 0.5


@dataclass(slots=True)
class _Hand:
    """A run in hand: its lease, and the journal as this worker has written it."""

    run: Run
    lease: Lease
    journal: Journal
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Worker:
    """Works on up to `slots` runs of one site at once."""

    def __init__(
        self,
        *,
        name: str,
        site: Site,
        runs: Runs,
        queue: Queue,
        look: Look,
        metrics: Metrics,
        slots: int = 8,
    ) -> None:
        self._name = name
        self._site = site
        self._runs = runs
        self._queue = queue
        self._look = look
        self._metrics = metrics
        self._slots = asyncio.Semaphore(slots)
        self._draining = asyncio.Event()
        self.fault: str | None = "it has not reached the queue yet"

    def drain(self) -> None:
        """Take nothing new; `run` returns when what is in hand is done."""
        self._draining.set()

    async def run(self) -> None:
        """Work until drained."""
        async with asyncio.TaskGroup() as group:
            sweeper = group.create_task(self._sweep())
            receiver = group.create_task(self._receive(group))
            await self._draining.wait()
            sweeper.cancel()
            receiver.cancel()

    async def _receive(self, group: asyncio.TaskGroup) -> None:
        opened = False
        while not self._draining.is_set():  # a cancellation can get lost inside redis-py
            await self._slots.acquire()
            received: list[RunId] = []
            try:
                if not opened:
                    await self._queue.open()
                    opened = True
                    self.fault = None
                received = await self._queue.wait(1, _WAIT_MS)
            except QuorumbotError as error:
                self.fault = str(error)
                _log.warning("waiting for the queue: %s", error)
                opened = False
                await asyncio.sleep(_PAUSE_S)
            finally:
                if not received:
                    self._slots.release()
            for run in received:
                group.create_task(self._work(run))

    async def _sweep(self) -> None:
        """Wake workers for runs that nobody holds, whoever left them."""
        while not self._draining.is_set():
            await asyncio.sleep(_SWEEP_S)
            try:
                now = await self._queue.now_ms()
                for name in await self._queue.sweep(now):
                    if fold((await self._runs.read(name)).entries) is None:
                        await self._queue.put_off(name, now)
                    else:
                        await self._queue.wake(name, now)
            except QuorumbotError as error:
                _log.warning("sweep: %s", error)

    async def _work(self, name: RunId) -> None:
        try:
            hand = await self._take(name)
            if hand is not None:
                await self._carry_out(hand)
        except (Conflict, LeaseLost) as error:
            _log.info("left alone: %s", error)
        except QuorumbotError as error:
            _log.warning("run %s is left to the sweep: %s", name, error)
        except Exception:  # noqa: BLE001 (one run must not take the others in hand with it)
            _log.exception("run %s is left to the sweep", name)
        finally:
            self._slots.release()

    async def _take(self, name: RunId) -> _Hand | None:
        lease, journal = await self._runs.take(name, self._site)
        for fault in journal.faults:
            _log.error("ignored: %s", fault)
        run = fold(journal.entries)
        if run is None or run.request.site != self._site:
            _log.error("run %s has no request that can be believed here", name)
            await self._runs.release(lease, journal)
            return None
        if run.state.final:
            # Somebody opened a finished run again; what was done is not done twice.
            await self._runs.hold(lease, journal, final=True)
            return None
        if run.attempts:
            self._metrics.recoveries.labels("taken over").inc()
        else:
            waited = time.time() - run.requested_at_ms / 1_000
            self._metrics.queue_wait_seconds.observe(max(0.0, waited))
        return _Hand(run, lease, await self._runs.hold(lease, journal, Began(self._name)))

    async def _carry_out(self, hand: _Hand) -> None:
        """Answer while a second task keeps the lease; the end of either ends both."""
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._keep(hand))
                await self._answer(hand)
                keeper.cancel()
        except* QuorumbotError as errors:
            _log.warning("run %s: stopped, and left to the sweep: %s", hand.run.id, errors)

    async def _keep(self, hand: _Hand) -> None:
        while True:
            await asyncio.sleep(self._runs.lease_ms / 3_000)
            await self._write(hand)

    async def _write(self, hand: _Hand, *events: Event, final: bool = False) -> None:
        async with hand.lock:
            hand.journal = await self._runs.hold(hand.lease, hand.journal, *events, final=final)

    async def _answer(self, hand: _Hand) -> None:
        run = hand.run
        if not run.attempts and time.time() * 1_000 - run.requested_at_ms > STALE_MS:
            await self._end(hand, Failed("it was asked more than 5 minutes ago. Ask again."))
            return
        if run.attempts >= ATTEMPTS:
            error = f"given up: {run.attempts} workers were lost over it. See their logs."
            await self._end(hand, Failed(error))
            return
        latest: HealthReport | MembersReport | None = None
        failure: str | None = None
        try:
            async with asyncio.timeout(LONGEST_S):
                async for latest in self._ask(run):
                    await self._write(hand, Answered(latest))
        except (Conflict, LeaseLost):
            raise
        except QuorumbotError as error:
            failure = str(error)
        except TimeoutError:
            failure = f"it took longer than {LONGEST_S:.0f} s. Ask again."
        except Exception:  # noqa: BLE001 (whatever it is, the asker gets words, the log the rest)
            _log.exception("run %s failed", run.id)
            failure = "something went wrong inside the worker. Its log says what."
        if isinstance(latest, HealthReport):
            self._note_health(latest)
        await self._end(hand, Succeeded() if failure is None else Failed(failure))

    def _note_health(self, report: HealthReport) -> None:
        """Export the number of healthy voters where it is known; nothing where it is not."""
        gauge = self._metrics.etcd_healthy_members
        if report.verdict in {Verdict.HEALTHY, Verdict.DEGRADED}:
            gauge.labels(report.cluster).set(report.members)
        else:
            with contextlib.suppress(KeyError):
                gauge.remove(report.cluster)

    def _ask(self, run: Run) -> AsyncIterator[HealthReport] | AsyncIterator[MembersReport]:
        try:
            inquiry = INQUIRIES[run.request.command]
            args: object = TypeAdapter(inquiry.args).validate_python(dict(run.request.args))
        except (KeyError, ValidationError) as error:
            message = "this worker does not know that request: front and worker differ in version."
            raise Permanent(message) from error
        if run.request.cluster not in self._look.inventory.clusters:
            message = f"this worker's configuration has no cluster {run.request.cluster}."
            raise Permanent(message)
        return inquiry.ask(args, self._look)

    async def _end(self, hand: _Hand, event: Succeeded | Failed) -> None:
        await self._write(hand, event, final=True)
        self._metrics.runs.labels(hand.run.request.command, event.kind).inc()
        seconds = time.time() - hand.run.requested_at_ms / 1_000
        self._metrics.run_seconds.observe(max(0.0, seconds))
