"""The record of expected members: what its port promises, in memory and on a real Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.carrying import InterruptedRun
from bot.store import keys
from bot.store.connection import connect
from bot.store.refusals import Stale
from bot.store.runs import Runs
from bot.store.signing import Signer
from procedures.model.errors import Permanent
from procedures.model.events import CancelAsked
from procedures.model.expected import Expected
from procedures.model.ids import ClusterName, MemberName, UserId
from tests.contract.store.places import SITE, Place, in_memory, in_redis
from tests.support.redis import RedisServer
from tests.support.signing import FRONT, KEYRING, STRANGER, WORKER

DEMO, OTHER = ClusterName("demo"), ClusterName("other")
TWO = {MemberName(f"demo-{n}"): f"https://10.0.0.{n}:2379" for n in (1, 2)}
ONE = {MemberName("demo-1"): "https://10.0.0.1:2379"}


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(params=["memory", "redis"])
async def place(request: pytest.FixtureRequest, redis: Redis) -> Place:
    return in_memory() if request.param == "memory" else await in_redis(redis)


def endpoints(place: Place) -> dict[MemberName, str]:
    return dict(place.world.inventory.clusters[DEMO].endpoints)


async def test_nothing_is_recorded_at_first(place: Place) -> None:
    """Then the configuration counts."""
    configured = endpoints(place)
    assert await place.world.expected.read(DEMO) == Expected()
    assert endpoints(place) == configured


async def test_what_is_written_counts(place: Place) -> None:
    """With the run that wrote it; the inventory follows, and knows the configured ones still."""
    configured = endpoints(place)
    await place.world.expected.write(DEMO, Expected(), TWO)
    found = await place.world.expected.read(DEMO)
    assert (found.members, found.version, found.run) == (TWO, 1, place.run)
    assert endpoints(place) == TWO
    assert place.world.inventory.clusters[DEMO].configured == configured


async def test_the_version_grows(place: Place) -> None:
    """With each change."""
    await place.world.expected.write(DEMO, Expected(), TWO)
    await place.world.expected.write(DEMO, await place.world.expected.read(DEMO), ONE)
    found = await place.world.expected.read(DEMO)
    assert (found.members, found.version) == (ONE, 2)
    assert endpoints(place) == ONE


async def test_only_what_was_read_is_replaced(place: Place) -> None:
    """Whoever has read something else changes nothing."""
    await place.world.expected.write(DEMO, Expected(), TWO)
    with pytest.raises(Permanent, match="is another"):
        await place.world.expected.write(DEMO, Expected(), ONE)
    assert (await place.world.expected.read(DEMO)).members == TWO


async def test_a_worker_that_lost_its_run_changes_nothing(place: Place) -> None:
    """Its late call is refused by the store itself."""
    await place.world.expected.write(DEMO, Expected(), TWO)
    was = await place.world.expected.read(DEMO)
    await place.lose()
    with pytest.raises(InterruptedRun):
        await place.world.expected.write(DEMO, was, ONE)
    assert await place.world.expected.read(DEMO) == was


async def test_another_process_believes_it(redis: Redis) -> None:
    """Also one that begins now, and one of a front."""
    await (await in_redis(redis)).world.expected.write(DEMO, Expected(), TWO)
    for signer in (WORKER, FRONT):
        found = await Runs(redis, signer, KEYRING).expected.read(DEMO)
        assert (found.expected.members, found.expected.fault) == (TWO, None)


async def test_it_is_written_whatever_a_front_writes_meanwhile(redis: Redis) -> None:
    """An entry in the journal that the worker has not read yet."""
    place = await in_redis(redis)
    front = Runs(redis, FRONT, KEYRING)
    journal = await front.read(place.run)
    await front.append(place.run, SITE, journal, CancelAsked(UserId("U0BOB")), then="open")
    await place.world.expected.write(DEMO, Expected(), TWO)
    assert (await place.world.expected.read(DEMO)).version == 1


async def test_two_that_write_at_once(redis: Redis) -> None:
    """Both have read the same, and the store takes one."""
    one, other = Runs(redis, WORKER, KEYRING), Runs(redis, WORKER, KEYRING)
    first, second = await in_redis(redis, one), await in_redis(redis, other)
    found = await other.expected.read(DEMO)
    late = other.expected.sealed(found, ONE, second.run, 0)
    await first.world.expected.write(DEMO, Expected(), TWO)
    await redis.delete(keys.lease(second.run))
    lease, journal = await other.take(second.run, SITE)
    with pytest.raises(Stale):
        await other.hold(lease, journal, swap=late)
    assert (await other.expected.read(DEMO)).expected.members == TWO


async def test_writing_the_same_bytes_again_is_no_change(redis: Redis) -> None:
    """As a worker does whose reply was lost."""
    runs = Runs(redis, WORKER, KEYRING)
    place = await in_redis(redis)
    swap = runs.expected.sealed(await runs.expected.read(DEMO), TWO, place.run, 0)
    await redis.delete(keys.lease(place.run))
    lease, journal = await runs.take(place.run, SITE)
    await runs.hold(lease, journal, swap=swap)
    await runs.hold(lease, journal, swap=swap)
    assert (await runs.expected.read(DEMO)).expected.version == 1


async def sealed(redis: Redis, signer: Signer, cluster: ClusterName = DEMO) -> bytes:
    """A record that this signer has sealed, on what a new process of its own has read."""
    place = await in_redis(redis)
    expected = Runs(redis, signer, KEYRING).expected
    return expected.sealed(await expected.read(cluster), ONE, place.run, 0).to


async def stored(redis: Redis) -> bytes:
    raw = await redis.get(keys.expected(DEMO))
    assert isinstance(raw, bytes)
    return raw


async def not_signed(redis: Redis) -> bytes:
    return (await stored(redis)).replace(b"10.0.0.2", b"10.6.6.6")


FORGED: dict[str, tuple[Callable[[Redis], Awaitable[bytes]], str]] = {
    "nobody's key": (lambda redis: sealed(redis, STRANGER), "writer 'stranger-1' is not trusted"),
    "a front's key": (lambda redis: sealed(redis, FRONT), "written by a front, and only a worker"),
    "another cluster's": (lambda redis: sealed(redis, WORKER, OTHER), "that of other, moved here"),
    "a changed URL": (not_signed, "its signature is not worker-1's"),
}


@pytest.mark.parametrize("how", FORGED)
async def test_what_is_not_believed(redis: Redis, how: str) -> None:
    """The configuration counts then, it is said why, and an honest run can put it right."""
    place = await in_redis(redis)
    configured = endpoints(place)
    await place.world.expected.write(DEMO, Expected(), TWO)
    forge, words = FORGED[how]
    await redis.set(keys.expected(DEMO), await forge(redis))
    found = await place.world.expected.read(DEMO)
    assert found.members is None
    assert words in (found.fault or "")
    assert endpoints(place) == configured
    await place.world.expected.write(DEMO, found, TWO)
    assert (await place.world.expected.read(DEMO)).version == 2


@pytest.mark.parametrize(
    ("value", "words"),
    [(b"", None), (b"\xff", "it cannot be read"), (b"x {}", "it cannot be read")],
)
async def test_what_is_no_record(redis: Redis, value: bytes, words: str | None) -> None:
    """Whatever somebody scribbles there, reading ends with words."""
    place = await in_redis(redis)
    await redis.set(keys.expected(DEMO), value)
    found = await place.world.expected.read(DEMO)
    assert (found.members, found.fault) == (None, words)
    await place.world.expected.write(DEMO, found, TWO)
    assert (await place.world.expected.read(DEMO)).members == TWO


async def test_what_is_not_even_text(redis: Redis) -> None:
    """A list in its place is not believed, and replaced by the next change."""
    place = await in_redis(redis)
    await redis.rpush(keys.expected(DEMO), "x")
    found = await place.world.expected.read(DEMO)
    assert "not a value of the kind" in (found.fault or "")
    await place.world.expected.write(DEMO, found, TWO)
    assert (await place.world.expected.read(DEMO)).members == TWO


async def test_a_journal_entry_is_no_record(redis: Redis) -> None:
    """What a worker has signed for another purpose does not count here."""
    runs = Runs(redis, WORKER, KEYRING)
    place = await in_redis(redis)
    (entry,) = await redis.lrange(keys.events(place.run), 0, -1)
    await redis.set(keys.expected(DEMO), entry)
    assert (await runs.expected.read(DEMO)).expected.fault == "it cannot be read"


async def test_an_old_record_is_not_believed(redis: Redis) -> None:
    """By a process that has read a newer one; the next change is newer than both."""
    place = await in_redis(redis)
    await place.world.expected.write(DEMO, Expected(), TWO)
    old = await stored(redis)
    await place.world.expected.write(DEMO, await place.world.expected.read(DEMO), ONE)
    await redis.set(keys.expected(DEMO), old)
    found = await place.world.expected.read(DEMO)
    assert (found.members, found.fault) == (
        None,
        "it is version 1, and version 2 was there before",
    )
    await place.world.expected.write(DEMO, found, ONE)
    assert (await place.world.expected.read(DEMO)).version == 3


async def test_a_record_that_is_gone(redis: Redis) -> None:
    """It is missed by who has read it; a version is not given twice."""
    place = await in_redis(redis)
    await place.world.expected.write(DEMO, Expected(), TWO)
    await redis.delete(keys.expected(DEMO))
    found = await place.world.expected.read(DEMO)
    assert found == Expected(fault="it is gone, and version 1 was there before")
    await place.world.expected.write(DEMO, found, TWO)
    assert (await place.world.expected.read(DEMO)).version == 2


async def test_another_record_of_the_same_version(redis: Redis) -> None:
    """Signed by a worker, as a store that lost its last write may come to have."""
    place = await in_redis(redis)
    other = await sealed(redis, WORKER)
    await place.world.expected.write(DEMO, Expected(), TWO)
    await redis.set(keys.expected(DEMO), other)
    found = await place.world.expected.read(DEMO)
    assert "its version 1 is another than" in (found.fault or "")
