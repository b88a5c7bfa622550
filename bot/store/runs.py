"""Runs in Redis: verified reading, and the one way of writing, `append_if`."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeAlias

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from bot.store.expected import ExpectedMembers, Swap
from bot.store.memory import Memory
from bot.store.output import Batch, Line, Shelf, open_shelf, read_output
from bot.store.pauses import Pause, Pauses
from bot.store.refusals import refusal, text
from bot.store.signing import GENESIS, Journal, Keyring, Signer
from procedures.model.canonical import digest
from procedures.model.errors import InDoubt, Retryable
from procedures.model.events import Entry, Event, Planned, RefusedBy, Requested
from procedures.model.ids import ClusterName, RunId, Site, run_id
from procedures.model.run import State

_SCRIPT = files("bot.store").joinpath("append_if.lua").read_text()
_ONCE_MS = 60 * 60 * 1000
_STREAM_LENGTH = 100_000
_PAUSE_S = 0.2
_QUESTIONS_MS = 30 * 24 * 3600 * 1000
"""How long the journal of a question is kept; those of changes stay, they are the record."""

Then: TypeAlias = Literal["open", "waiting", "closed"]
"""What a run needs next: a worker, a person, or nothing any more."""


def needs(state: State) -> Then:
    """Tell what a run in this state needs next."""
    return "closed" if state.final else "waiting" if state.waits else "open"


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to write to a run, until it is dropped or not renewed in time."""

    run: RunId
    site: Site
    token: int


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of the script, beside the entries."""

    run: RunId
    site: Site
    version: int | None
    mode: Literal["none", "take", "hold", "drop"] = "none"
    token: str = ""
    accept_by_ms: str = ""
    then: Then = "open"
    wake: bool = False
    once: str = ""
    keep: bool = False
    lock: str = ""
    lock_move: Literal["", "take", "drop"] = ""
    output: Batch | None = None
    ended: str = ""
    swap: Swap | None = None


class Runs:
    """The runs of one store, written in the name of one signer."""

    def __init__(
        self,
        redis: Redis,
        signer: Signer,
        keyring: Keyring,
        *,
        lease_ms: int = 6_000,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._redis = redis
        self._script = redis.register_script(_SCRIPT)
        self._signer = signer
        self._keyring = keyring
        self._lease_ms = lease_ms
        self._now_ms = now_ms
        self._memory = Memory()
        self.expected = ExpectedMembers(redis, keyring, signer)

    @property
    def lease_ms(self) -> int:
        """How long a lease lasts unless it is renewed."""
        return self._lease_ms

    async def accept(
        self, request: Requested, *, source: str, accept_by_ms: int | None = None
    ) -> RunId:
        """Store a request and wake a worker, once per `source`; gives the run it has led to.

        `accept_by_ms` is a moment of the store's own clock: a store that comes to it later
        (because it hung meanwhile) does not accept, and Retryable is raised. InDoubt is raised when
        no reply came, so that nobody knows whether it is stored.
        """
        run = run_id(secrets.token_bytes(5))
        call = _Call(
            run,
            request.site,
            version=0,
            accept_by_ms="" if accept_by_ms is None else str(accept_by_ms),
            wake=True,
            once=keys.once(source),
        )
        _, raw = self._seal(run, Journal((), 0, GENESIS, ()), [request])
        try:
            reply = await self._eval(call, raw)
        except Retryable as error:
            raise InDoubt(str(error)) from error
        match reply:
            case [b"done", *_]:
                return run
            case [b"known", bytes(known)]:
                return RunId(known.decode())
            case _:
                message = "The queue did not answer in time."
                raise Retryable(message)

    async def read(self, run: RunId) -> Journal:
        """Read and verify all entries of a run; none when there is no such run."""
        async with translated():
            stored = await self._redis.lrange(keys.events(run), 0, -1)
        return self._verified(run, stored)

    async def append(
        self,
        run: RunId,
        site: Site,
        journal: Journal,
        *events: Event,
        then: Then,
        wake: bool = False,
        unlock: str = "",
        source: str = "",
    ) -> Journal:
        """Append to a run that no worker needs to hold, after the journal just read.

        `then` says what it needs next, `unlock` a lock that it gives back. Raises Conflict when
        somebody else appended meanwhile, Known when this `source` has led to an entry before.
        """
        call = _Call(
            run,
            site,
            journal.version,
            then=then,
            wake=wake,
            once=keys.once(source) if source else "",
            keep=_changes(journal, events),
            ended=_ended(journal, events, then),
            lock=unlock,
            lock_move="drop" if unlock else "",
        )
        return await self._appended(call, journal, events)

    async def take(self, run: RunId, site: Site) -> tuple[Lease, Journal]:
        """Take the lease of an open run, and read it, in one call.

        Raises LeaseLost when another worker holds it, or when it is at its end.
        """
        reply = await self._eval(_Call(run, site, version=None, mode="take"), ())
        match reply:
            case [b"done", _, token, list() as stored]:
                journal = self._verified(run, stored)
                return Lease(run, site, int(text(token))), journal
            case _:
                raise refusal(run, reply)

    async def hold(
        self,
        lease: Lease,
        journal: Journal,
        *events: Event,
        then: Then = "open",
        lock: str = "",
        output: Batch | None = None,
        swap: Swap | None = None,
    ) -> Journal:
        """Append under a lease and renew it; a run that needs no worker gives the lease back.

        `lock` is taken while the run is open or waits, and given back when it is closed. A store
        that does not answer is asked again for as long as a lease lasts. Raises LeaseLost when
        the run is in other hands, Conflict when a front appended meanwhile, Locked when another
        run has the lock, Stale when what `swap` replaces is not there.
        """
        call = _Call(
            lease.run,
            lease.site,
            journal.version,
            mode="hold" if then == "open" else "drop",
            token=str(lease.token),
            then=then,
            keep=_changes(journal, events),
            ended=_ended(journal, events, then),
            lock=lock,
            lock_move="" if not lock else "drop" if then == "closed" else "take",
            output=output,
            swap=swap,
        )
        return await self._appended(call, journal, events, patience_s=self._lease_ms / 1000)

    async def shelf(self, run: RunId) -> Shelf:
        """Where the output of a run goes on."""
        return await open_shelf(self._redis, run)

    async def output(self, run: RunId, first: int = 0) -> tuple[Line, ...]:
        """All lines of output that are kept, from a number on."""
        return await read_output(self._redis, run, first)

    async def turn(self, lock: str) -> int:
        """How often a lock was taken."""
        async with translated():
            return int(await self._redis.get(keys.turns(lock)) or 0)

    async def holder(self, lock: str) -> RunId | None:
        """Which run has a lock."""
        async with translated():
            found = await self._redis.get(keys.lock(lock))
        return None if found is None else RunId(text(found))

    async def pause(self, cluster: ClusterName) -> Pause | None:
        """What keeps a cluster from starting anything new."""
        return await Pauses(self._redis).of(cluster)

    def _verified(self, run: RunId, stored: Sequence[bytes | str]) -> Journal:
        """Verify, and compare with what was seen before: a journal only ever grows.

        Of one that was rewound nothing is believed.
        """
        journal = self._keyring.read(run, [_bytes(raw) for raw in stored])
        fault = self._memory.fault(run, journal)
        if fault is None:
            return journal
        return Journal((), journal.version, journal.head, (*journal.faults, fault))

    def foresee(self, journal: Journal, events: Sequence[Event]) -> tuple[Entry, ...]:
        """Make the entries, not sealed, that a journal gets when these events are appended."""
        return tuple(
            Entry(RunId(""), journal.version + n, "", self._now_ms(), self._signer.id, event)
            for n, event in enumerate(events)
        )

    async def release(self, lease: Lease, journal: Journal) -> None:
        """Give a lease back without an end: the sweep will find the run."""
        call = _Call(lease.run, lease.site, journal.version, mode="drop", token=str(lease.token))
        await self._appended(call, journal, ())

    async def _appended(
        self, call: _Call, journal: Journal, events: Sequence[Event], patience_s: float = 0
    ) -> Journal:
        """Append; for `patience_s` seconds, a store that does not answer is asked again.

        A reply that was lost on its way is no reason to append twice: when the store's last
        entry is ours, it is done.
        """
        entries, raw = self._seal(call.run, journal, events)
        deadline = asyncio.get_running_loop().time() + patience_s
        asked_again = False
        while True:
            try:
                reply = await self._eval(call, raw)
            except Retryable:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                await asyncio.sleep(_PAUSE_S)
                asked_again = True
                continue
            if reply[0] == b"done" or (asked_again and await self._is_last(call.run, raw)):
                after = _extended(journal, entries, raw)
                self._memory.note(call.run, after)
                return after
            raise refusal(call.run, reply)

    async def _is_last(self, run: RunId, raw: Sequence[bytes]) -> bool:
        async with translated():
            stored = await self._redis.lrange(keys.events(run), -len(raw), -1)
        return bool(raw) and [_bytes(item) for item in stored] == list(raw)

    def _seal(
        self, run: RunId, journal: Journal, events: Sequence[Event]
    ) -> tuple[tuple[Entry, ...], tuple[bytes, ...]]:
        entries: list[Entry] = []
        raw: list[bytes] = []
        head = journal.head
        for offset, event in enumerate(events):
            entry = Entry(
                run, journal.version + offset, head, self._now_ms(), self._signer.id, event
            )
            sealed = self._signer.seal(entry)
            entries.append(entry)
            raw.append(sealed)
            head = digest(sealed)
        return tuple(entries), tuple(raw)

    async def _eval(self, call: _Call, raw: Sequence[bytes]) -> list[object]:
        names = (
            keys.events(call.run),
            keys.lease(call.run),
            call.once,
            keys.unfinished(call.site),
            keys.FEED,
            keys.queue(call.site) if call.wake else "",
            keys.FENCES,
            keys.waiting(call.site),
            keys.lock(call.lock) if call.lock else "",
            keys.turns(call.lock) if call.lock else "",
            keys.output(call.run, call.output.part) if call.output else "",
            call.ended,
            keys.AUDIT_DUE,
            call.swap.key if call.swap else "",
            keys.reached(call.run),
        )
        arguments = (
            call.run,
            "" if call.version is None else call.version,
            call.mode,
            call.token,
            self._lease_ms,
            call.accept_by_ms,
            call.then,
            _ONCE_MS,
            _STREAM_LENGTH,
            "" if call.keep else _QUESTIONS_MS,
            call.lock_move,
            call.output.packed if call.output else "",
            call.output.drop if call.output else 0,
            call.swap.was if call.swap else "",
            call.swap.to if call.swap else "",
            _in_turn(call.output.reached) if call.output and call.output.reached else "",
            *raw,
        )
        async with translated():
            reply: list[object] = await self._script(keys=names, args=arguments)
        return reply


def _extended(journal: Journal, entries: Sequence[Entry], raw: Sequence[bytes]) -> Journal:
    return Journal(
        (*journal.entries, *entries),
        journal.version + len(raw),
        digest(raw[-1]) if raw else journal.head,
        journal.faults,
    )


def _changes(journal: Journal, events: Sequence[Event]) -> bool:
    """Tell whether a run goes by a plan: then its journal is part of the record."""
    return any(isinstance(entry.event, Planned | RefusedBy) for entry in journal.entries) or any(
        isinstance(event, Planned | RefusedBy) for event in events
    )


def _ended(journal: Journal, events: Sequence[Event], then: Then) -> str:
    """The list of ended runs that a change belongs to from now on, as its key; '' for none."""
    requests = [entry.event for entry in journal.entries if isinstance(entry.event, Requested)]
    if then != "closed" or not requests or not _changes(journal, events):
        return ""
    return keys.ended(requests[0].cluster)


def _in_turn(reached: Mapping[str, int]) -> str:
    return json.dumps([each for piece, place in reached.items() for each in (piece, str(place))])


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
