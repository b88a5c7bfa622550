"""What the feed promises to the one front that shows runs, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from redis.asyncio import Redis

from bot.ports import Shown
from bot.store import keys
from bot.store.connection import connect
from bot.store.feed import Feed
from bot.store.runs import Runs
from procedures.model.ids import ChannelId, RunId, Site
from tests.support.redis import RedisServer
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING
from tests.support.waiting import eventually

RUN = RunId("r-00000001")


@pytest_asyncio.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = connect(redis_server.url, redis_server.password)
    yield client
    await client.aclose()


async def appended(redis: Redis, source: str) -> RunId:
    return await Runs(redis, FRONT, KEYRING).accept(a_request(), source=source)


async def test_one_front_leads(redis: Redis) -> None:
    """Of several that try at once, one leads, and goes on leading."""
    feeds = [Feed(redis, f"front-{n}") for n in range(5)]
    leading = await asyncio.gather(*(feed.lead() for feed in feeds))
    assert leading.count(True) == 1
    assert await asyncio.gather(*(feed.lead() for feed in feeds)) == leading


async def test_a_dead_leader_is_replaced_although_others_keep_asking(redis: Redis) -> None:
    """Asking to lead does not lengthen the lease of a front that is gone."""
    await Feed(redis, "dead", lease_ms=200).lead()
    heir = Feed(redis, "heir", lease_ms=200)
    assert not await heir.lead()
    await eventually(heir.lead, 5)


async def test_a_leader_that_resigns_makes_way_at_once(redis: Redis) -> None:
    """Only its own lease is given back."""
    one, two = Feed(redis, "one"), Feed(redis, "two")
    assert await one.lead()
    await two.resign()
    assert not await two.lead()
    await one.resign()
    assert await two.lead()


async def test_what_was_not_settled_is_delivered_again(redis: Redis) -> None:
    """The next front finds what the one before had received and not shown."""
    feed = Feed(redis, "one")
    await feed.open()
    first, second = await appended(redis, "1"), await appended(redis, "2")
    received = await feed.wait(100)
    assert [change.run for change in received] == [first, second]
    await feed.settle(received[:1])
    heir = Feed(redis, "two")
    await heir.open()
    assert await heir.pending() == received[1:]
    assert await heir.wait(50) == []


async def test_where_a_run_is_shown_is_remembered(redis: Redis) -> None:
    """Until it is forgotten."""
    feed = Feed(redis, "one")
    shown = Shown(ChannelId("C0OPS"), "1700000000.000100", "d" * 64)
    assert await feed.shown(RUN) is None
    await feed.show(RUN, shown)
    assert await feed.shown(RUN) == shown
    await feed.forget(RUN)
    assert await feed.shown(RUN) is None


async def test_how_often_a_message_was_gone_is_counted(redis: Redis) -> None:
    """Each of a run's two messages by itself."""
    feed = Feed(redis, "one")
    shown = Shown(ChannelId("C0OPS"), "1700000000.000100", "d" * 64)
    await feed.show(RUN, shown)
    await feed.show(RUN, shown, "incident")
    await feed.forget(RUN)
    await feed.forget(RUN)
    assert (await feed.gone(RUN), await feed.gone(RUN, "incident")) == (2, 0)
    assert await feed.shown(RUN, "incident") == shown
    await feed.show(RUN, shown)
    assert await feed.shown(RUN) == shown


async def test_notes_are_for_every_front(redis: Redis) -> None:
    """What one front has said, the next one knows."""
    await Feed(redis, "one").note(RUN, "waiting 1", "1700000000.000100")
    await Feed(redis, "one").note(RUN, "output", "17")
    expected = {"waiting 1": "1700000000.000100", "output": "17"}
    assert await Feed(redis, "two").notes(RUN) == expected
    assert await Feed(redis, "two").notes(RunId("r-00000002")) == {}


async def test_undecided_runs_are_those_of_all_sites(redis: Redis) -> None:
    """Runs that wait for a person, wherever; none that waits for a worker."""
    await appended(redis, "1")
    for number, site in enumerate(("east", "west")):
        await redis.zadd(keys.waiting(Site(site)), {f"r-0000000{number}": 1})
    feed = Feed(redis, "one", [Site("east"), Site("west")])
    assert await feed.undecided() == ["r-00000000", "r-00000001"]
