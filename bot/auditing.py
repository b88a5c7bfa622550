"""`quorumbot audit`: whether the record is as it was written, and a copy of it. Needs no key."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from redis.asyncio import Redis

from bot.config import Config
from bot.identity import keyring
from bot.process import own_name
from bot.redis_link import link
from bot.store.archive import Archive
from bot.store.audit import AuditLog
from bot.store.links import claimed
from bot.store.signing import Keyring
from bot.store.verification import Fault, Verification
from procedures.model.audit import Head
from procedures.model.canonical import digest
from procedures.model.errors import UsageError
from procedures.model.events import decode
from procedures.model.ids import RunId

_MOST_JOURNALS = 1_000
"""So many journals are kept in memory during an export."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a verification came to. `pending` events are too new to be in the log."""

    entries: int
    runs: int
    pending: int
    head: Head | None
    compared: tuple[Head, ...]
    faults: tuple[Fault, ...]


def heads(texts: Sequence[str]) -> list[Head]:
    """Read heads as they were published. Raises UsageError."""
    try:
        return [Head.parse(text) for text in texts]
    except ValueError as error:
        message = f"--head {error}."
        raise UsageError(message) from error


async def audit(config: Config, given: Sequence[str] | None, *, as_json: bool) -> int:
    """Verify against these heads, or export when None."""
    if given is None:
        return await _export(config)
    return await _verify(config, given, as_json=as_json)


async def _verify(config: Config, given: Sequence[str], *, as_json: bool) -> int:
    """Print what was found; 1 when something is wrong."""
    outside = heads(given)
    async with link(config) as redis:
        found = await examine(redis, keyring(config), outside, config.clock.now_ms())
    if as_json:
        print(json.dumps(_plain(found), indent=2))
        return 1 if found.faults else 0
    for fault in found.faults:
        print(fault)
    if not found.faults:
        print(f"OK: {found.entries} entries, {found.runs} runs, head {found.head or 'none'}")
    if found.pending:
        print(f"{found.pending} new events are not in the audit log yet.", file=sys.stderr)
    if not outside:
        print(_weaker(found.compared), file=sys.stderr)
    return 1 if found.faults else 0


async def examine(redis: Redis, trusted: Keyring, outside: Sequence[Head], now_ms: int) -> Findings:
    """Verify a store against heads from outside, and the one that it remembers itself."""
    archive = Archive(redis)
    remembered = (await AuditLog(redis, own_name()).published()).head
    compared = tuple(dict.fromkeys([*outside, *([remembered] if remembered else [])]))
    verification = Verification(trusted, compared)
    faults: list[Fault] = []
    async for raw in archive.links():  # before the journals: they grow first
        faults += verification.link(raw)
    faults += verification.published()
    for run in sorted(verification.runs | await archive.runs()):
        faults += verification.journal(run, await archive.journal(run), now_ms)
    head = verification.head
    return Findings(
        entries=head.index if head else 0,
        runs=len(verification.runs),
        pending=verification.pending,
        head=head,
        compared=compared,
        faults=tuple(faults),
    )


async def _export(config: Config) -> int:
    """Print each recorded event as a line of JSON; 1 when one of them is not there any more."""
    complete, index = True, 0
    journals: dict[RunId, list[bytes]] = {}
    async with link(config) as redis:
        archive = Archive(redis)
        async for raw in archive.links():
            index += 1
            recorded = claimed(raw)
            if recorded is None:
                complete = False
                continue
            run, seq = recorded.run, recorded.seq
            if seq >= len(journals.get(run, ())):
                if len(journals) >= _MOST_JOURNALS:
                    journals.clear()
                journals[run] = await archive.journal(run)
            stored = journals[run][seq] if seq < len(journals[run]) else b""
            complete = complete and digest(stored) == recorded.hash
            line = {"index": index, "run": run, "seq": seq, **_event(stored)}
            print(json.dumps({**line, "hash": recorded.hash}, ensure_ascii=False))
    if not complete:
        print("The record is not complete; `quorumbot audit verify` tells more.", file=sys.stderr)
    return 0 if complete else 1


def _event(stored: bytes) -> dict[str, object]:
    """A stored event for export. What is signed can be put together from it again."""
    signature, _, payload = stored.partition(b" ")
    try:
        entry = decode(payload)
        at = datetime.fromtimestamp(entry.at_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return dict.fromkeys(("at", "writer", "event", "prev", "signature"))
    return {
        "at": at.replace("+00:00", "Z"),
        "writer": entry.writer,
        "event": json.loads(payload)["event"],
        "prev": entry.prev,
        "signature": signature.decode(errors="replace"),
    }


def _plain(found: Findings) -> dict[str, object]:
    return {
        "ok": not found.faults,
        "entries": found.entries,
        "runs": found.runs,
        "pending": found.pending,
        "head": str(found.head) if found.head else None,
        "compared_with": [str(head) for head in found.compared],
        "faults": [asdict(fault) for fault in found.faults],
    }


def _weaker(remembered: Sequence[Head]) -> str:
    against = f" and against the head that the store remembers, {remembered[0]}"
    return (
        f"Checked in itself{against if remembered else ''}. A head that was kept elsewhere proves "
        "more: --head INDEX:HASH."
    )
