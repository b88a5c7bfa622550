"""Whatever somebody with write access to Redis does to the record is found."""

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import pytest
from redis.asyncio import Redis

from bot.auditing import Findings, examine
from bot.store import keys
from bot.store.audit import AuditLog
from bot.store.links import extension
from bot.store.runs import Runs
from bot.store.signing import Signer
from procedures.model.audit import Head
from procedures.model.events import Began, Resumed
from procedures.model.ids import RunId, UserId
from tests.integration.audit.harness import Clock, MakeFront
from tests.support.changes import EVENTS, SITE, a_change, some_changes
from tests.support.signing import KEYRING, STRANGER, WORKER
from tests.support.tampering import at, drop, expire, put, repeat, swap

Tamper: TypeAlias = Callable[[Redis, Sequence[RunId]], Awaitable[object]]


async def published(redis: Redis) -> Head:
    head = (await AuditLog(redis, "a reader").tail()).head
    assert head is not None
    return head


async def recorded(redis: Redis, front: MakeFront) -> tuple[Sequence[RunId], Head]:
    """Three changes in the log, found sound, and the head that was published then."""
    runs = await some_changes(redis, 3)
    assert await front().record() == 3 * EVENTS
    head = await published(redis)
    assert (await verified(redis, head)).faults == ()
    return runs, head


async def verified(redis: Redis, *heads: Head) -> Findings:
    return await examine(redis, KEYRING, heads, Clock().now_ms())


async def append_link(redis: Redis, run: RunId, signer: Signer) -> None:
    """Record an event, in its place, with a key that may not."""
    events = [(run, EVENTS, b"an event")]
    await redis.rpush(keys.AUDIT, *extension(signer, await published(redis), events, 0))


def journal(run: RunId) -> str:
    return keys.events(run)


JOURNALS: dict[str, tuple[Tamper, str]] = {
    "an event dropped": (
        lambda redis, runs: drop(redis, journal(runs[1]), 4),
        "events 4 to 6 are not what was recorded",
    ),
    "the first event dropped": (
        lambda redis, runs: drop(redis, journal(runs[1]), 0),
        "event 7 is missing at the end of its journal",
    ),
    "two events swapped": (
        lambda redis, runs: swap(redis, journal(runs[1]), 3, 5),
        "events 3, 5 are not what was recorded",
    ),
    "the journal cut off": (
        lambda redis, runs: redis.ltrim(journal(runs[1]), 0, 4),
        "events 5 to 7 are missing at the end of its journal",
    ),
    "the journal dropped": (
        lambda redis, runs: redis.delete(journal(runs[1])),
        "events 0 to 7 are missing with its journal",
    ),
    "the journal expired": (
        lambda redis, runs: expire(redis, journal(runs[1])),
        "events 0 to 7 are missing with its journal",
    ),
    "the journal replaced by another run's": (
        lambda redis, runs: redis.copy(journal(runs[2]), journal(runs[1]), replace=True),
        "events 0 to 7 are not what was recorded",
    ),
    "something appended": (
        lambda redis, runs: redis.rpush(journal(runs[1]), b"an event"),
        "event 8: it cannot be read",
    ),
    "an event of another run appended": (
        lambda redis, runs: repeat(redis, journal(runs[2]), 7, onto=journal(runs[1])),
        "event 8: it was moved here from another place",
    ),
}


@pytest.mark.parametrize(("tamper", "what"), JOURNALS.values(), ids=JOURNALS)
async def test_a_journal_is_not_what_it_was(
    redis: Redis, front: MakeFront, tamper: Tamper, what: str
) -> None:
    """It is found without any head, and this run alone is named."""
    runs, _ = await recorded(redis, front)
    await tamper(redis, runs)
    found = await verified(redis)
    assert {fault.run for fault in found.faults} == {runs[1]}
    assert what in " / ".join(map(str, found.faults))


LOG: dict[str, tuple[Tamper, str]] = {
    "an entry dropped": (
        lambda redis, _: drop(redis, keys.AUDIT, 10),
        "entry 11: it was written as entry 12; missing before it: 11",
    ),
    "an entry replaced": (
        lambda redis, _: put(redis, keys.AUDIT, 10, b"x {}"),
        "entry 11: it cannot be read",
    ),
    "two entries swapped": (
        lambda redis, _: swap(redis, keys.AUDIT, 9, 12),
        "entry 10: it was written as entry 13",
    ),
    "an entry of an untrusted writer": (
        lambda redis, runs: append_link(redis, runs[1], STRANGER),
        "its writer 'stranger-1' is not trusted",
    ),
    "an entry of a worker": (
        lambda redis, runs: append_link(redis, runs[1], WORKER),
        "a worker may not write it",
    ),
    "an entry repeated": (
        lambda redis, _: repeat(redis, keys.AUDIT, 10, onto=keys.AUDIT),
        "it was written as entry 11, and moved or repeated here",
    ),
}


@pytest.mark.parametrize(("tamper", "what"), LOG.values(), ids=LOG)
async def test_the_log_is_not_what_it_was(
    redis: Redis, front: MakeFront, tamper: Tamper, what: str
) -> None:
    """It is found without any head, and the run that it is about is named."""
    runs, _ = await recorded(redis, front)
    await tamper(redis, runs)
    found = await verified(redis)
    lines = [str(fault) for fault in found.faults]
    assert what in " / ".join(lines)
    assert any(runs[1] in line for line in lines) or "cannot be read" in what


async def test_each_changed_byte_is_found(redis: Redis, front: MakeFront) -> None:
    """Anywhere in any event and in any entry of the log, and only its run is named."""
    runs, head = await recorded(redis, front)
    chosen = random.Random(7)  # noqa: S311
    for key in [keys.AUDIT, *map(journal, runs)] * 15:
        index = chosen.randrange(await redis.llen(key))
        stored = await at(redis, key, index)
        changed = bytearray(stored)
        changed[chosen.randrange(len(stored))] ^= 1 << chosen.randrange(7)
        await put(redis, key, index, bytes(changed))
        found = await verified(redis)
        assert found.faults, (stored, changed)
        assert (await verified(redis, head)).faults
        if key != keys.AUDIT:
            (fault,) = found.faults
            assert fault.run is not None
            assert journal(fault.run) == key
        assert all("\n" not in str(fault) for fault in found.faults)
        await put(redis, key, index, stored)
    assert (await verified(redis, head)).faults == ()


async def test_a_log_that_was_cut_off(redis: Redis, front: MakeFront) -> None:
    """A head finds it at once, with the runs whose events are not recorded any more."""
    runs, head = await recorded(redis, front)
    await redis.ltrim(keys.AUDIT, 0, 2 * EVENTS - 2)
    found = await verified(redis, head)
    assert "it ends at entry 15, but 24:" in str(found.faults[0])
    assert {fault.run for fault in found.faults[1:]} == {runs[1], runs[2]}
    later = await examine(redis, KEYRING, (), Clock(10 * 60_000).now_ms())
    assert {fault.run for fault in later.faults} == {runs[1], runs[2]}


async def test_a_run_that_was_dropped_everywhere(redis: Redis, front: MakeFront) -> None:
    """Its entries are missing in the log."""
    runs, _ = await recorded(redis, front)
    for _ in range(EVENTS):
        await drop(redis, keys.AUDIT, EVENTS)
    await redis.delete(journal(runs[1]))
    found = await verified(redis)
    assert "missing before it: 9 to 16" in str(found.faults[0])


async def test_an_older_copy_of_everything(redis: Redis, front: MakeFront) -> None:
    """Log and journals as they once were, with what the store remembers: a head finds it."""
    runs, older = await recorded(redis, front)
    copies = {key: await redis.dump(key) for key in await redis.keys()}
    run = await a_change(redis, "later")
    await works_on(redis, front)
    head = await published(redis)
    await redis.flushdb()
    for key, value in copies.items():
        assert isinstance(value, bytes)
        await redis.restore(key, 0, value)
    assert (await verified(redis, older)).faults == ()
    (fault,) = (await verified(redis, head)).faults
    assert f"but {head} was published" in str(fault)
    await a_change(redis, "other")
    await works_on(redis, front)
    (fault,) = (await verified(redis, await published(redis), head)).faults
    assert f"it is not the one that was published as {head}" in str(fault)
    assert run not in runs


async def works_on(redis: Redis, front: MakeFront) -> None:
    """A front that was restarted records what is there."""
    await redis.delete(keys.AUDIT_WRITER)
    assert await front("restarted").record()


async def test_entries_of_a_log_that_was_rolled_back(redis: Redis, front: MakeFront) -> None:
    """They do not fit into the one that went on, although a front wrote them in this place."""
    await recorded(redis, front)
    one, other = [await at(redis, keys.AUDIT, index) for index in (-2, -1)]
    await redis.ltrim(keys.AUDIT, 0, -4)
    await a_change(redis, "other")
    await works_on(redis, front)
    await put(redis, keys.AUDIT, 3 * EVENTS - 2, one)
    await put(redis, keys.AUDIT, 3 * EVENTS - 1, other)
    words = " / ".join(map(str, (await verified(redis)).faults))
    assert f"entry {3 * EVENTS - 1}: the entry before it is not the one" in words


@pytest.mark.parametrize(
    ("counted", "what"),
    [
        (0, "this event is recorded before"),
        (EVENTS + 1, f"event {EVENTS} is missing from the audit log"),
    ],
)
async def test_numbers_of_recorded_events_that_were_changed(
    redis: Redis, front: MakeFront, counted: int, what: str
) -> None:
    """A front that was misled records twice, or too little: that is found."""
    runs, _ = await recorded(redis, front)
    await redis.hset(keys.AUDIT_RECORDED, runs[1], str(counted))
    worker = Runs(redis, WORKER, KEYRING)
    journal = await worker.read(runs[1])
    again = Resumed(UserId("U0BOB")), Began("w")
    await worker.append(runs[1], SITE, journal, *again, then="open")
    await works_on(redis, front)
    found = await verified(redis)
    assert any(what in str(fault) and fault.run == runs[1] for fault in found.faults)


async def test_what_is_not_recorded_in_time(redis: Redis, front: MakeFront) -> None:
    """New events are excused for a minute; what nobody records, or was hidden, is found then."""
    runs, head = await recorded(redis, front)
    run = await a_change(redis, "hidden")
    await redis.delete(keys.AUDIT_DUE)
    assert await front().record() == 0
    found = await verified(redis, head)
    assert (found.faults, found.pending) == ((), EVENTS)
    later = await examine(redis, KEYRING, [head], Clock(120_000).now_ms())
    (fault,) = later.faults
    assert str(fault) == f"run {run}: events 0 to 7 are not in the audit log"
    assert run not in runs


async def test_what_the_store_remembers_is_compared_as_well(redis: Redis, front: MakeFront) -> None:
    """Without a head from outside, a log that was cut off is found by it."""
    _, head = await recorded(redis, front)
    await AuditLog(redis, "one").remember(head, 0)
    await redis.rpop(keys.AUDIT)
    found = await verified(redis)
    assert found.compared == (head,)
    assert "cut off" in str(found.faults[0])
    await redis.hset(keys.AUDIT_HEADS, "hash", "not\na hash")
    assert (await verified(redis)).compared == ()


async def test_a_run_id_that_is_none_is_not_looked_at(redis: Redis, front: MakeFront) -> None:
    """Nobody believes such a journal, and its name reaches no terminal."""
    _, head = await recorded(redis, front)
    await redis.rpush(keys.events(RunId("r-\nOK: all is well")), b"x")
    assert (await verified(redis, head)).faults == ()


async def test_events_after_recorded_ones_are_recorded_as_they_are(
    redis: Redis, front: MakeFront
) -> None:
    """A forged event in between is in the log, and found; what comes after it is recorded too."""
    run = await a_change(redis, "open")
    await redis.rpush(journal(run), STRANGER.sign(b"{}"))
    await redis.zadd(keys.AUDIT_DUE, {run: 1})
    assert await front().record() == EVENTS + 1
    (fault,) = (await verified(redis)).faults
    assert str(fault) == f"run {run}: event {EVENTS}: it cannot be read"
