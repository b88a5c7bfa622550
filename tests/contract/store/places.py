"""Where the record of expected members is kept: in memory, and on a real Redis."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.carrying import Hand, InterruptedRun
from bot.expecting import RunWorld
from bot.store import keys
from bot.store.output import Shelf
from bot.store.runs import Runs
from procedures.engine.ports import World
from procedures.model.ids import RunId, Site
from procedures.model.redaction.redactor import Redactor
from tests.support.requests import a_request
from tests.support.sight import FakeSight, a_sight
from tests.support.signing import FRONT, KEYRING, WORKER

SITE = Site("default")


@dataclass
class Place:
    """A run in the hands of a worker; `lose` gives it to another worker."""

    world: World
    run: RunId
    lose: Callable[[], Awaitable[None]]


def in_memory(sight: FakeSight | None = None) -> Place:
    """`sight` is what another worker has seen before."""
    place = sight or a_sight()

    async def lose() -> None:
        def hold() -> None:
            raise InterruptedRun

        place.hold = hold

    return Place(place, place.expected.run, lose)


async def in_redis(redis: Redis, runs: Runs | None = None) -> Place:
    """A worker process of its own; with `runs`, one that has read the store before."""
    front = Runs(redis, FRONT, KEYRING)
    name = await front.accept(a_request(), source=f"{await redis.incr('asked')}")
    runs = runs or Runs(redis, WORKER, KEYRING)
    hand = Hand(runs, *await runs.take(name, SITE), Shelf(0, 0, ()), Redactor({}))

    async def lose() -> None:
        await redis.delete(keys.lease(name))
        await Runs(redis, WORKER, KEYRING).take(name, SITE)

    return Place(RunWorld(a_sight(), runs.expected, hand), name, lose)
