"""Runs in Redis: verified reading, and the one way of writing, `append_if`."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from redis.asyncio import Redis

from bot.store import keys
from bot.store.connection import translated
from bot.store.signing import GENESIS, Journal, Keyring, Signer
from procedures.model.canonical import digest
from procedures.model.errors import InDoubt, QuorumbotError, Retryable
from procedures.model.events import Entry, Event, Requested
from procedures.model.ids import RunId, Site, run_id

_SCRIPT = files("bot.store").joinpath("append_if.lua").read_text()
_ONCE_MS = 60 * 60 * 1000
_STREAM_LENGTH = 100_000
_PAUSE_S = 0.2


class Conflict(QuorumbotError):  # noqa: N818 (an ordinary outcome: read again and decide again)
    """Somebody else appended first, so what was decided may not hold any more."""


class LeaseLost(QuorumbotError):  # noqa: N818 (an ordinary outcome: stop working on the run)
    """The run belongs to another worker now, or to none."""


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
    open: bool = True
    wake: bool = False
    once: str = ""


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
        return self._keyring.read(run, [_bytes(raw) for raw in stored])

    async def append(
        self, run: RunId, site: Site, journal: Journal, *events: Event, final: bool
    ) -> Journal:
        """Append to a run that no worker needs to hold, after the journal just read.

        `final` closes the run. Raises Conflict when somebody else appended meanwhile.
        """
        call = _Call(run, site, journal.version, open=not final)
        return await self._appended(call, journal, events)

    async def take(self, run: RunId, site: Site) -> tuple[Lease, Journal]:
        """Take the lease of an open run, and read it, in one call.

        Raises LeaseLost when another worker holds it, or when it is at its end.
        """
        reply = await self._eval(_Call(run, site, version=None, mode="take"), ())
        match reply:
            case [b"done", _, token, list() as stored]:
                journal = self._keyring.read(run, [_bytes(raw) for raw in stored])
                return Lease(run, site, int(_text(token))), journal
            case _:
                raise _error(run, reply)

    async def hold(
        self, lease: Lease, journal: Journal, *events: Event, final: bool = False
    ) -> Journal:
        """Append under a lease and renew it; `final` closes the run and gives the lease back.

        A store that does not answer is asked again for as long as a lease lasts. Raises
        LeaseLost when the run is in other hands, Conflict when a front appended meanwhile.
        """
        call = _Call(
            lease.run,
            lease.site,
            journal.version,
            mode="drop" if final else "hold",
            token=str(lease.token),
            open=not final,
        )
        return await self._appended(call, journal, events, patience_s=self._lease_ms / 1000)

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
                return _extended(journal, entries, raw)
            raise _error(call.run, reply)

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
        )
        arguments = (
            call.run,
            "" if call.version is None else call.version,
            call.mode,
            call.token,
            self._lease_ms,
            call.accept_by_ms,
            "open" if call.open else "closed",
            _ONCE_MS,
            _STREAM_LENGTH,
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


def _error(run: RunId, reply: Sequence[object]) -> QuorumbotError:
    word = _word(reply)
    if word == "conflict":
        message = f"Run {run} has changed meanwhile."
        return Conflict(message)
    message = f"Run {run} is in other hands ({word})."
    return LeaseLost(message)


def _word(reply: Sequence[object]) -> str:
    return _text(reply[0])


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
