"""A team that a test speaks for: people, a store, a fake cluster, and a worker now and then."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from redis.asyncio import Redis

from bot.deciding import Decisions
from bot.ports import Decision
from bot.store import keys
from bot.store.runs import Runs
from bot.store.signing import Signer
from procedures.model.canonical import digest
from procedures.model.events import (
    Began,
    Done,
    Entry,
    Event,
    Failed,
    Started,
    Took,
)
from procedures.model.ids import RunId, Site, UserId
from procedures.model.run import Run, State, fold
from tests.integration.worker.test_worker import a_worker, working
from tests.support.requests import a_request
from tests.support.sight import FakeSight
from tests.support.signing import FRONT, KEYRING, WORKER
from tests.support.waiting import eventually

SITE = Site("default")
ALICE, BOB, CAROL, DAVE = (UserId(f"U0{name}") for name in ("ALICE", "BOB", "CAROL", "DAVE"))
DECISIONS: tuple[Decision, ...] = ("approve", "reject")
NEW_URL = "https://10.9.9.9:2380"


async def eligible(users: Iterable[UserId]) -> frozenset[UserId]:
    return frozenset(users) & {ALICE, BOB, CAROL}


@dataclass
class Team:
    """People, a store, and a fake cluster with a worker that is started when a test says."""

    redis: Redis
    sight: FakeSight
    asked: int = 0

    @property
    def runs(self) -> Runs:
        return Runs(self.redis, FRONT, KEYRING)

    @property
    def decisions(self) -> Decisions:
        return Decisions(self.runs, {})

    async def ask(self, *, member: str = "demo-1", url: str = NEW_URL, command: str = "") -> RunId:
        self.asked += 1
        request = a_request(command or "etcd member fix-peer-url")
        args = {**request.args, "member": member} | ({} if command else {"url": url})
        return await self.runs.accept(replace(request, args=args), source=f"{self.asked}")

    async def run(self, name: RunId) -> Run:
        run = fold((await self.runs.read(name)).entries)
        assert run is not None
        return run

    async def reaches(self, name: RunId, *states: State) -> Run:
        async def there() -> bool:
            return (await self.run(name)).state in states

        await eventually(there, 15, f"{name} reaches {states}")
        return await self.run(name)

    async def vote(self, name: RunId, user: UserId, decision: str = "approve") -> None:
        run = await self.run(name)
        assert run.plan is not None
        digest = run.plan.digest
        if decision == "approve":
            await self.decisions.vote(name, user, "approve", digest, eligible)
        else:
            await self.decisions.vote(name, user, "reject", digest, eligible)

    async def forge(self, name: RunId, signer: Signer, *events: Event) -> None:
        """Append to a journal what looks right in all but who signed it."""
        stored: Any = await self.redis.lrange(keys.events(name), 0, -1)
        head, length = digest(stored[-1]), len(stored)
        for seq, event in enumerate(events, length):
            raw = signer.seal(Entry(name, seq, head, 1, signer.id, event))
            await self.redis.rpush(keys.events(name), raw)
            head = digest(raw)
        await self.redis.zadd(keys.unfinished(SITE), {name: 0})
        await self.redis.xadd(keys.queue(SITE), {"run": name})

    def url(self) -> Sequence[str]:
        return next(iter(self.sight.demo.members.values())).peer_urls

    def working(self) -> contextlib.AbstractAsyncContextManager[None]:
        return working(a_worker(self.redis, self.sight))


async def waiting_for_votes(team: Team) -> RunId:
    name = await team.ask()
    async with team.working():
        await team.reaches(name, State.WAITING_FOR_APPROVAL)
    return name


async def nothing_happens(team: Team, name: RunId) -> Run:
    """Let a worker have a good look at the run, and at an honest one after it."""
    before = team.url()
    async with team.working():
        honest = await team.ask(member="demo-2", url="https://10.8.8.8:2380")
        await team.reaches(honest, State.WAITING_FOR_APPROVAL)
    assert team.url() == before
    return await team.run(name)


async def failed(team: Team) -> RunId:
    """A run that failed at its last step: a member went down after the change."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    runs = Runs(team.redis, WORKER, KEYRING)
    lease, journal = await runs.take(name, SITE)
    journal = await runs.hold(lease, journal, Began("w"), lock="etcd/demo")
    turn = await runs.turn("etcd/demo")
    done = (each for step in (1, 2) for each in (Started(step, 1), Done(step, None)))
    events = (Took(turn), *done, Started(3, 1), Failed("it is down.", 3))
    await runs.hold(lease, journal, *events, then="closed", lock="etcd/demo")
    return name
