"""Runs that change something, written by a front and a worker as they do it."""

from collections.abc import Sequence

from redis.asyncio import Redis

from bot.store.runs import Runs
from procedures.model.events import Began, Done, Event, RefusedBy, Started, Succeeded
from procedures.model.ids import RunId, Site
from procedures.model.plan import Risk
from tests.support.plans import a_plan, approved
from tests.support.requests import a_request
from tests.support.signing import FRONT, KEYRING, WORKER

SITE = Site("default")
EVENTS = 8
"""How many events `a_change` has."""


async def a_change(redis: Redis, source: str, risk: Risk = Risk.REVERSIBLE) -> RunId:
    """A run that was planned, approved and carried out."""
    run = await asked(redis, source)
    planned, voted, decided = approved(a_plan(risk=risk))
    await works(redis, run, Began("w"), planned)
    front = Runs(redis, FRONT, KEYRING)
    await front.append(run, SITE, await front.read(run), voted, decided, then="open")
    await works(redis, run, Started(1, 1), Done(1, None))
    await works(redis, run, Succeeded(), ends=True)
    return run


async def a_refusal(redis: Redis, source: str) -> RunId:
    """A run that a rule stood against; three events."""
    run = await asked(redis, source)
    await works(redis, run, Began("w"), RefusedBy("R2: too few would be left."), ends=True)
    return run


async def asked(redis: Redis, source: str) -> RunId:
    """A request that nobody took up yet."""
    return await Runs(redis, FRONT, KEYRING).accept(a_request("etcd test"), source=source)


async def works(redis: Redis, run: RunId, *events: Event, ends: bool = False) -> None:
    """A worker takes the run, writes these events and gives it back."""
    worker = Runs(redis, WORKER, KEYRING)
    lease, journal = await worker.take(run, SITE)
    journal = await worker.hold(lease, journal, *events, then="closed" if ends else "open")
    if not ends:
        await worker.release(lease, journal)


async def some_changes(redis: Redis, count: int) -> Sequence[RunId]:
    """Several runs that were carried out, one after the other."""
    return [await a_change(redis, f"change {number}") for number in range(count)]
