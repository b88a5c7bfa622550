"""Runs whose front and worker a test plays: what happens to them is what the test says."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from redis.asyncio import Redis

from bot.identity import keyring, signer
from bot.redis_link import link
from bot.store import keys
from bot.store.runs import Lease, Runs, needs
from procedures.model.events import WRITERS, Cancelled, Event, Requested, Role
from procedures.model.ids import RunId, Site
from procedures.model.run import Run, fold
from tests.support.sandbox import Sandbox


class ByHand:
    """Writes events in the name of whoever may, and output; whoever held a run has lost it."""

    def __init__(self, redis: Redis, front: Runs, worker: Runs) -> None:
        self._redis = redis
        self.front = front
        self.worker = worker

    async def asked(self, request: Requested, source: str) -> RunId:
        return await self.front.accept(request, source=source)

    async def write(self, name: RunId, *events: Event) -> Run:
        """Append, and give the run as it is then."""
        for event in events:
            run = await self._append(name, event)
        return run

    async def say(self, name: RunId, lines: Sequence[str], *, step: int = 1, skip: int = 0) -> None:
        """Output of a step; `skip` lines before it are not kept."""
        run = fold((await self.front.read(name)).entries)
        assert run is not None
        lease = await self._lease(name, run.request.site)
        shelf = await self.worker.shelf(name)
        now_ms = run.changed_at_ms
        for _ in range(skip):
            shelf.number(step, now_ms, "")
        batch = shelf.batch([shelf.number(step, now_ms, line) for line in lines])
        await self.worker.hold(lease, await self.worker.read(name), output=batch)

    async def _append(self, name: RunId, event: Event) -> Run:
        by_front = Role.FRONT in WRITERS[type(event)] and not isinstance(event, Cancelled)
        writer = self.front if by_front else self.worker
        journal = await writer.read(name)
        last = journal.entries[-1]
        run = fold((*journal.entries, replace(last, at_ms=last.at_ms + 1, event=event)))
        assert run is not None
        then = needs(run.state)
        if by_front:
            site = run.request.site
            await writer.append(name, site, journal, event, then=then, wake=then == "open")
        else:
            await writer.hold(await self._lease(name, run.request.site), journal, event, then=then)
        return run

    async def _lease(self, name: RunId, site: Site) -> Lease:
        await self._redis.delete(keys.lease(name))
        lease, _ = await self.worker.take(name, site)
        return lease


@asynccontextmanager
async def by_hand(sandbox: Sandbox) -> AsyncIterator[ByHand]:
    """In a sandbox, whose own worker stands still meanwhile. Each run is to be ended."""
    config = sandbox.config
    now_ms = config.clock.now_ms
    async with link(config) as redis:
        front, worker = (
            Runs(redis, signer(config, role), keyring(config), now_ms=now_ms)
            for role in (Role.FRONT, Role.WORKER)
        )
        with sandbox.processes.frozen("worker"):
            yield ByHand(redis, front, worker)
