"""A worker's hand on one run: its lease, its journal, and the place of each step in it."""

import asyncio
import time
from contextlib import suppress

from bot.pausing import obstacle
from bot.redacting import redacted
from bot.store.expected import Swap
from bot.store.output import BATCH_BYTES, Batch, Line, Shelf
from bot.store.refusals import Conflict, Locked, Stale
from bot.store.runs import Lease, Runs, needs
from bot.store.signing import Journal
from procedures.engine.ports import Cancelling
from procedures.model.errors import QuorumbotError
from procedures.model.events import (
    Event,
    Held,
    Took,
)
from procedures.model.host import Mark
from procedures.model.redaction.redactor import Redactor
from procedures.model.run import Run, State, advance, fold

_GATHER_S = 0.1
"""So long lines are gathered before they are stored."""

_LINE_BYTES = 40


class InterruptedRun(Exception):  # noqa: N818 (names what happens to the run)
    """The run cannot be journalled any more: whoever works on it stops at once."""


class Hand:
    """A run in hand. One write at a time; what a front wrote meanwhile is taken in first."""

    def __init__(
        self, runs: Runs, lease: Lease, journal: Journal, shelf: Shelf, redactor: Redactor
    ) -> None:
        self._runs = runs
        self._redactor = redactor
        self._shelf = shelf
        self._said: list[Line] = []
        self._said_bytes = 0
        self._reached: dict[str, int] = {}
        self._batch: Batch | None = None
        self._speak = asyncio.Event()
        self._lease = lease
        self._journal = journal
        self._writing = asyncio.Lock()
        self._cancelled = asyncio.Event()
        self._lock = ""
        self._run = _believed(journal)
        self._notice()

    @property
    def run(self) -> Run:
        """The run as the journal has it now."""
        return self._run

    async def keep(self) -> None:
        """Renew the lease and store output until cancelled; raises when the run is lost."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._runs.lease_ms / 3_000):
                    await self._speak.wait()
                    await asyncio.sleep(_GATHER_S)
            await self.write()

    async def say(self, step: int, text: str, piece: str = "", upto: int = 0) -> None:
        """Take a line of output in; it is stored soon, and at the latest with the next event.

        Where it is a piece of work's on a host, it is stored together with the place in the
        piece's output where it ends. Waits while more is on its way than the store takes.
        """
        text = self._redactor.text(text)
        self._said.append(self._shelf.number(step, time.time_ns() // 1_000_000, text))
        self._said_bytes += len(text) + _LINE_BYTES
        if piece:
            self._reached[piece] = upto
        self._speak.set()
        if self._said_bytes > BATCH_BYTES:
            await self.write()

    def reached(self, piece: str) -> int:
        """The place in the output of a piece of work up to which its lines are stored."""
        return self._shelf.reached(piece)

    async def lock(self, name: str) -> None:
        """Take the lock of what the run changes, to keep it until the run ends.

        Raises Locked when another run has it, or had it since this run had it last.
        """
        async with self._writing:
            self._journal = await self._runs.hold(self._lease, self._journal, lock=name)
            self._lock = name
        turn, before = await self._runs.turn(name), self.run.turn
        if before is not None and turn > before + 1:
            raise Locked(None)
        if turn != before:
            await self.write(Took(turn))

    async def write(self, *events: Event) -> None:
        """Journal events and renew the lease; what ends the run gives lease and lock back."""
        await self._write(tuple(redacted(event, self._redactor) for event in events))

    async def swap(self, swap: Swap) -> None:
        """Replace a stored value while the lease is held. Raises Stale where it is another."""
        await self._write((), swap)

    async def _write(self, events: tuple[Event, ...], swap: Swap | None = None) -> None:
        try:
            async with self._writing:
                while True:
                    try:
                        await self._append(*events, swap=swap)
                        if not self._said:
                            break
                        events, swap = (), None
                    except Conflict:
                        self._journal = await self._runs.read(self._lease.run)
                        self._notice()
        except Stale:
            raise
        except QuorumbotError as error:
            message = f"run {self._lease.run}: {error}"
            raise InterruptedRun(message) from error

    async def held(self, now_ms: int) -> bool:
        """Tell whether something keeps the run from beginning; then people are told, and it is
        given back.
        """
        why = await obstacle(self.run, self._runs, now_ms)
        if why is not None:
            await self.write(Held(why))
            await self.release()
        return why is not None

    async def release(self) -> None:
        """Give the lease back, so that the sweep finds the run again."""
        with suppress(QuorumbotError):
            await self._runs.release(self._lease, self._journal)

    def work(self, step: int) -> "StepWork":
        """A step's place in the run."""
        return StepWork(self, step, self._cancelled)

    async def _append(self, *events: Event, swap: Swap | None = None) -> None:
        if self._batch is None and self._said:
            self._batch = self._shelf.batch(self._said, self._reached)
            self._said, self._said_bytes, self._reached = [], 0, {}
            self._speak.clear()
        after = advance(self._run, self._runs.foresee(self._journal, events))
        state = after.state if after else State.FAILED
        before = len(self._journal.entries)
        self._journal = await self._runs.hold(
            self._lease,
            self._journal,
            *events,
            then=needs(state),
            lock=self._lock,
            output=self._batch,
            swap=swap,
        )
        if self._batch is not None:
            self._shelf.is_stored(self._batch)
        self._batch = None
        self._run = advance(self._run, self._journal.entries[before:]) or self._run

    def _notice(self) -> None:
        """Take in what others wrote."""
        self._run = _believed(self._journal)
        if self._run.cancel_asked is not None:
            self._cancelled.set()


def _believed(journal: Journal) -> Run:
    run = fold(journal.entries)
    if run is None:
        message = "its journal cannot be believed any more"
        raise InterruptedRun(message)
    return run


class StepWork:
    """Implements `procedures.engine.ports.Work`."""

    def __init__(self, hand: Hand, step: int, cancelled: asyncio.Event) -> None:
        self._hand = hand
        self._step = step
        self._cancelled = cancelled

    async def say(self, line: str) -> None:
        """Let people follow: one line of output."""
        await self._hand.say(self._step, line)

    def transcript(self, host: str, mark: Mark) -> "PieceTranscript":
        """Where the output of a piece of work on a host goes on, whoever followed it before."""
        return PieceTranscript(self._hand, mark.step, f"{host}/{mark.key}")

    def mark(self, name: str) -> Mark:
        """Mark a piece of work on a machine as this step's, in its present attempt."""
        run = self._hand.run
        return Mark(run.id, self._step, run.steps[self._step].attempts, name)

    async def guard(self) -> None:
        """Renew the lease right before a call that changes something, or raise."""
        await self._hand.write()
        if self._cancelled.is_set():
            raise Cancelling

    async def pause(self, duration_ms: int) -> None:
        """Wait. Raises Cancelling when somebody has asked for the end meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(duration_ms / 1_000):
                await self._cancelled.wait()
        if self._cancelled.is_set():
            raise Cancelling

    async def cancelling(self) -> None:
        """Wait until somebody has asked for the end of the run."""
        await self._cancelled.wait()

    async def rest(self, duration_ms: int) -> None:
        """Wait, also when somebody has asked for the end."""
        await asyncio.sleep(duration_ms / 1_000)


class PieceTranscript:
    """Implements `procedures.engine.hosts.Transcript` among a run's lines."""

    def __init__(self, hand: Hand, step: int, piece: str) -> None:
        self._hand = hand
        self._step = step
        self._piece = piece

    @property
    def stored(self) -> int:
        """The place in the output up to which its lines are stored for good."""
        return self._hand.reached(self._piece)

    async def say(self, line: str, upto: int) -> None:
        """Take a line in, and the place where it ends."""
        await self._hand.say(self._step, line, self._piece, upto)
