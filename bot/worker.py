"""A worker: receives wake-ups, takes a run's lease, answers, and writes down each answer.

The lease is the only heartbeat. Whoever loses it stops at once, and can write nothing any more.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from pydantic import TypeAdapter, ValidationError

from bot.carrying import Hand, InterruptedRun
from bot.changing import change
from bot.expecting import RunWorld
from bot.metrics import Metrics
from bot.pausing import obstacle
from bot.store.output import Shelf
from bot.store.queue import Queue
from bot.store.refusals import Conflict, LeaseLost
from bot.store.runs import Runs
from procedures.catalogue import INQUIRIES, PROCEDURES
from procedures.engine.ports import Reachable, World
from procedures.model.errors import Permanent, QuorumbotError
from procedures.model.events import Answered, Began, Failed, Held, Succeeded
from procedures.model.ids import RunId, Site
from procedures.model.redaction.redactor import Redactor
from procedures.model.report import HealthReport, Report, Verdict
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


class Worker:
    """Works on up to `slots` runs of one site at once."""

    def __init__(
        self,
        *,
        name: str,
        site: Site,
        runs: Runs,
        queue: Queue,
        world: Reachable,
        metrics: Metrics,
        redactor: Redactor | None = None,
        slots: int = 8,
    ) -> None:
        self._name = name
        self._site = site
        self._runs = runs
        self._queue = queue
        self._world = world
        self._metrics = metrics
        self._redactor = redactor or Redactor({})
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

    async def _take(self, name: RunId) -> Hand | None:
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
            await self._runs.hold(lease, journal, then="closed")
            return None
        if run.state.waits:
            # Somebody woke it without a decision.
            await self._runs.hold(lease, journal, then="waiting")
            return None
        if (why := await obstacle(run, self._runs, self._world.clock.now_ms())) is not None:
            if run.held != why:
                journal = await self._runs.hold(lease, journal, Held(why))
            await self._runs.release(lease, journal)
            return None
        if run.attempts:
            self._metrics.recoveries.labels("taken over").inc()
        else:
            waited = time.time() - run.requested_at_ms / 1_000
            self._metrics.queue_wait_seconds.observe(max(0.0, waited))
        journal = await self._runs.hold(lease, journal, Began(self._name))
        changing = run.request.command in PROCEDURES
        shelf = await self._runs.shelf(name) if changing else Shelf(0, 0, ())
        return Hand(self._runs, lease, journal, shelf, self._redactor)

    async def _carry_out(self, hand: Hand) -> None:
        """Work while a second task keeps the lease; the end of either ends both."""
        run = hand.run
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(hand.keep())
                world = RunWorld(self._world, self._runs.expected, hand)
                recorded = await world.expected.read(run.request.cluster)
                if recorded.fault is not None:
                    words = "the record of expected members of %s is not believed: %s"
                    _log.error(words, run.request.cluster, recorded.fault)
                if run.request.command in PROCEDURES:
                    await change(hand, world)
                else:
                    await self._answer(hand, world)
                keeper.cancel()
        except* (QuorumbotError, InterruptedRun) as errors:
            _log.warning("run %s: stopped, and left to the sweep: %s", run.id, errors)
        self._count(hand.run)

    async def _answer(self, hand: Hand, world: World) -> None:
        run = hand.run
        if run.attempts == 1 and time.time() * 1_000 - run.requested_at_ms > STALE_MS:
            await hand.write(Failed("it was asked more than 5 minutes ago. Ask again."))
            return
        if run.attempts > ATTEMPTS:
            error = f"given up: {ATTEMPTS} workers were lost over it. See their logs."
            await hand.write(Failed(error))
            return
        latest: Report | None = None
        failure: str | None = None
        try:
            async with asyncio.timeout(LONGEST_S):
                async for latest in self._ask(run, world):
                    await hand.write(Answered(latest))
        except InterruptedRun:
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
        await hand.write(Succeeded() if failure is None else Failed(failure))

    def _note_health(self, report: HealthReport) -> None:
        """Export the number of healthy voters where it is known; nothing where it is not."""
        gauge = self._metrics.etcd_healthy_members
        if report.verdict in {Verdict.HEALTHY, Verdict.DEGRADED}:
            gauge.labels(report.cluster).set(report.members)
        else:
            with contextlib.suppress(KeyError):
                gauge.remove(report.cluster)

    def _ask(self, run: Run, world: World) -> AsyncIterator[Report]:
        try:
            inquiry = INQUIRIES[run.request.command]
            args: object = TypeAdapter(inquiry.args).validate_python(dict(run.request.args))
        except (KeyError, ValidationError) as error:
            message = "this worker does not know that request: front and worker differ in version."
            raise Permanent(message) from error
        if run.request.cluster not in world.inventory.clusters:
            message = f"this worker's configuration has no cluster {run.request.cluster}."
            raise Permanent(message)
        return inquiry.ask(args, world)

    def _count(self, run: Run) -> None:
        if not run.state.final:
            return
        self._metrics.runs.labels(run.request.command, run.state.lower()).inc()
        seconds = time.time() - run.requested_at_ms / 1_000
        self._metrics.run_seconds.observe(max(0.0, seconds))
