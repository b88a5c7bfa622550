"""Each event of each change is recorded once, whoever dies or writes at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from redis.asyncio import Redis

from bot.auditing import Findings, examine
from bot.metrics import Metrics
from bot.recording import Recorder
from bot.store import keys
from bot.store.archive import Archive
from bot.store.audit import AuditLog, Due, Tail
from bot.store.links import extension, read_link
from procedures.model.audit import DAY_MS, Head
from procedures.model.canonical import digest
from procedures.model.ids import RunId
from procedures.model.plan import Risk
from tests.integration.audit.harness import Channel, Clock, MakeFront
from tests.support.changes import EVENTS, a_change, a_refusal, asked, some_changes
from tests.support.signing import FRONT, KEYRING
from tests.support.waiting import eventually


async def recorded(redis: Redis) -> list[tuple[RunId, int]]:
    """What is in the log, as run and number of the event."""
    links = [read_link(KEYRING, raw) async for raw in Archive(redis).links()]
    return [(link.run, link.seq) for link in links]


async def sound(redis: Redis, clock: Clock) -> Findings:
    """Verify, an hour later, so that nothing is excused as new."""
    found = await examine(redis, KEYRING, (), clock.now_ms() + 3_600_000)
    assert found.faults == ()
    assert found.pending == 0
    return found


async def test_changes_and_refusals_are_recorded_from_their_request_on(
    redis: Redis, front: MakeFront, clock: Clock
) -> None:
    """All their events in their order, and none of a question."""
    change, refusal = await a_change(redis, "1"), await a_refusal(redis, "2")
    question = await asked(redis, "3")
    assert await front().record() == EVENTS + 3
    found = await recorded(redis)
    assert [seq for run, seq in found if run == change] == list(range(EVENTS))
    assert [seq for run, seq in found if run == refusal] == [0, 1, 2]
    assert not [run for run, _ in found if run == question]
    assert (await sound(redis, clock)).runs == 2


async def test_what_comes_later_follows(redis: Redis, front: MakeFront, clock: Clock) -> None:
    """A run is recorded as it goes; recording again adds nothing."""
    one = front()
    run = await a_refusal(redis, "1")
    assert await one.record() == 3
    assert await one.record() == 0
    assert await redis.zcard(keys.AUDIT_DUE) == 0
    other = await a_refusal(redis, "2")
    assert await one.record() == 3
    assert [each for each, _ in await recorded(redis)] == [run] * 3 + [other] * 3
    await sound(redis, clock)


async def test_fronts_at_the_same_time_record_once(
    redis: Redis, front: MakeFront, clock: Clock
) -> None:
    """Also if all of them hold the lease: they go by one name here."""
    fronts = [front("same") for _ in range(4)]

    async def record(recorder: Recorder) -> None:
        while await redis.zcard(keys.AUDIT_DUE):
            await recorder.record()

    await some_changes(redis, 12)
    await asyncio.gather(*(record(each) for each in fronts))
    found = await recorded(redis)
    assert len(found) == len(set(found)) == 12 * EVENTS
    await sound(redis, clock)


async def test_recording_keeps_up_with_writing(
    redis: Redis, front: MakeFront, clock: Clock
) -> None:
    """What is appended while a front records is not crossed out unrecorded."""
    running = asyncio.create_task(front().run())
    try:
        runs = await asyncio.gather(*(a_change(redis, f"{number}") for number in range(10)))

        async def done() -> bool:
            return len(await recorded(redis)) == EVENTS * len(runs)

        await eventually(done, 20, "all is recorded")
    finally:
        running.cancel()
        await asyncio.wait([running])
    await sound(redis, clock)


class _Dies(AuditLog):
    """A front that stops right before it writes, and whose write comes later."""

    def __init__(self, redis: Redis, name: str) -> None:
        super().__init__(redis, name, lease_ms=100)
        self.late: Callable[[], Awaitable[bool]]

    async def append(
        self, tail: Tail, due: Sequence[Due], links: Sequence[bytes], *, publish: bool
    ) -> bool:
        self.late = partial(super().append, tail, due, links, publish=publish)
        return False


async def test_a_front_that_dies_in_between_leaves_nothing_half_done(
    redis: Redis, front: MakeFront, clock: Clock
) -> None:
    """Another records in its place, and what the first wrote too late changes nothing."""
    await a_change(redis, "1")
    dying = _Dies(redis, "dying")
    now_ms = clock.now_ms
    first = Recorder(dying, FRONT, KEYRING, board=None, metrics=Metrics(), now_ms=now_ms)
    assert await first.record() == 0
    heir = front("heir")

    async def taken_over() -> bool:
        return await heir.record() == EVENTS

    await eventually(taken_over, 5)
    assert not await dying.late()
    await redis.delete(keys.AUDIT_WRITER)
    assert await dying.lead()
    assert not await dying.late()
    await sound(redis, clock)


async def test_only_what_was_read_is_extended(redis: Redis) -> None:
    """Not without the lease, not another last entry, length, or number of recorded events; and
    what came meanwhile stays due.
    """
    run = await a_change(redis, "1")
    log, head = AuditLog(redis, "one"), Head(2, digest(b"last"))
    await redis.rpush(keys.AUDIT, b"first", b"last")
    (due,) = await log.due(1)
    links = extension(FRONT, head, [(run, 0, due.stored[0])], 0)
    tail = await log.tail()
    assert tail.head == head

    async def appends(tail: Tail, due: Due) -> bool:
        return await log.append(tail, [due], links, publish=False)

    assert not await appends(tail, due)
    assert await log.lead()
    assert not await appends(replace(tail, last=b"other"), due)
    assert not await appends(replace(tail, length=1), due)
    assert not await appends(tail, replace(due, recorded=1))
    assert await redis.lrange(keys.AUDIT, 0, -1) == [b"first", b"last"]
    await redis.rpush(keys.events(run), b"meanwhile")
    assert await appends(tail, due)
    assert [each.run for each in await log.due(1)] == [run]
    assert not await appends(tail, due)
    assert await redis.lrange(keys.AUDIT, 0, -1) == [b"first", b"last", *links]


async def test_a_repeated_or_lost_notice_changes_nothing(
    redis: Redis, front: MakeFront, clock: Clock
) -> None:
    """The feed may be trimmed, and a run named again although all of it is recorded."""
    run = await a_change(redis, "1")
    await redis.delete(keys.FEED)
    one = front()
    assert await one.record() == EVENTS
    for name in (run.encode(), b"r-no\n run", b"\xff"):
        await redis.zadd(keys.AUDIT_DUE, {name: 0})
    assert await one.record() == 0
    assert await redis.zcard(keys.AUDIT_DUE) == 0
    await sound(redis, clock)


async def test_the_journal_of_a_change_is_kept(redis: Redis) -> None:
    """The record does not expire."""
    run = await a_change(redis, "1")
    assert await redis.ttl(keys.events(run)) == -1


async def test_heads_are_published_at_once_daily_and_when_something_was_destroyed(
    redis: Redis, front: MakeFront, channel: Channel, clock: Clock
) -> None:
    """The first; then none until a day has passed or a destructive run has ended."""
    one = front()
    await one.publish()
    assert channel.posted == []

    async def index_after(source: str, risk: Risk) -> int:
        await a_change(redis, source, risk)
        await one.record()
        await one.publish()
        return channel.posted[-1].index

    assert await index_after("1", Risk.DISRUPTIVE) == EVENTS
    assert await index_after("2", Risk.DISRUPTIVE) == EVENTS
    assert await index_after("3", Risk.DESTRUCTIVE) == 3 * EVENTS
    assert await index_after("4", Risk.REVERSIBLE) == 3 * EVENTS
    clock.ahead_ms += DAY_MS
    await one.publish()
    assert channel.posted[-1].index == 4 * EVENTS
    clock.ahead_ms += DAY_MS
    await one.publish()
    assert len(channel.posted) == 3
    found = await examine(redis, KEYRING, channel.posted, clock.now_ms())
    assert found.faults == ()


async def test_a_published_head_is_remembered_over_restarts(
    redis: Redis, front: MakeFront, channel: Channel
) -> None:
    """Another front does not publish it again, and publishes what could not be published."""
    first = front("first")
    await a_change(redis, "1", Risk.DESTRUCTIVE)
    await first.record()
    await first.publish()
    await a_change(redis, "2", Risk.DESTRUCTIVE)
    await first.record()
    await redis.delete(keys.AUDIT_WRITER)
    heir = front("heir")
    await heir.record()
    channel.fails = True
    for _ in range(2):
        await asyncio.gather(heir.publish(), return_exceptions=True)
    channel.fails = False
    await heir.publish()
    await heir.publish()
    assert [head.index for head in channel.posted] == [EVENTS, 2 * EVENTS]


async def test_who_does_not_lead_publishes_nothing(
    redis: Redis, front: MakeFront, channel: Channel
) -> None:
    """One front records and publishes."""
    first, second = front("first"), front("second")
    await a_change(redis, "1")
    await first.record()
    assert await second.record() == 0
    await second.publish()
    assert channel.posted == []


async def test_a_log_that_was_rolled_back_is_not_extended(
    redis: Redis, front: MakeFront, channel: Channel
) -> None:
    """By no front that has seen more of it, so that no head vouches for it; put back, it is."""
    leads, follows = front("leads"), front("follows")
    await a_change(redis, "1")
    await leads.record()
    await follows.record()
    last = await redis.rpop(keys.AUDIT)
    assert isinstance(last, bytes)
    await a_change(redis, "2")
    await redis.delete(keys.AUDIT_WRITER)
    for each in (leads, follows):
        assert await each.record() == 0
        await each.publish()
        await redis.delete(keys.AUDIT_WRITER)
    assert channel.posted == []
    await redis.rpush(keys.AUDIT, last)
    assert await leads.record() == EVENTS
