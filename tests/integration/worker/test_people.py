"""Steps that people do, on a real Redis: who holds what meanwhile, whose Done counts, and when."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bot.carrying import Hand
from bot.store import keys
from bot.store.connection import connect
from bot.store.output import Shelf
from bot.store.runs import Runs
from bot.store.signing import Signer
from bot.targets.etcd.model import Condition
from procedures.catalogue import PROCEDURES
from procedures.model.errors import Refused
from procedures.model.events import Asked, Began, Reported
from procedures.model.ids import MemberName, RunId, UserId
from procedures.model.redaction.redactor import Redactor
from procedures.model.run import Run, State
from tests.integration.worker.saving import a_saving_sight
from tests.integration.worker.team import (
    ALICE,
    BOB,
    DAVE,
    SITE,
    Team,
    eligible,
    nothing_happens,
)
from tests.support import by_people
from tests.support.redis import RedisServer
from tests.support.signing import FRONT, KEYRING, STRANGER, WORKER
from tests.support.waiting import eventually

LOCK = "quorumbot:lock:etcd/demo"


@dataclass
class Site(Team):
    """A team whose workers know a procedure in which people do something."""

    delivered: int = 0

    async def says_done(
        self, name: RunId, user: UserId = ALICE, *, asked: str = "", source: str = ""
    ) -> None:
        """Press Done below what is asked for now, or was before."""
        run = await self.run(name)
        self.delivered += 1
        await self.decisions.report(
            name,
            user,
            eligible,
            asked=asked or (run.asked.id if run.asked else ""),
            source=source or f"click:{self.delivered}",
        )

    async def asks(self, name: RunId, asked: str) -> Run:
        """The run, as soon as it asks people for this."""

        async def there() -> bool:
            run = await self.run(name)
            return run.asked is not None and run.asked.id == asked

        await eventually(there, 15, f"{name} asks for {asked}")
        return await self.run(name)

    async def version(self, name: RunId) -> int:
        return (await self.runs.read(name)).version

    def break_quorum(self, condition: Condition = Condition.STOPPED) -> None:
        for member in ("demo-2", "demo-3"):
            self.sight.demo.members[MemberName(member)].condition = condition


@pytest_asyncio.fixture
async def site(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    known = {**PROCEDURES, by_people.PROCEDURE.name: by_people.PROCEDURE}
    monkeypatch.setattr("bot.changing.PROCEDURES", known)
    monkeypatch.setattr("bot.worker.PROCEDURES", known)
    client = connect(redis_server.url, redis_server.password)
    yield Site(client, a_saving_sight())
    await client.aclose()


async def waiting(site: Site) -> RunId:
    """A run that is approved, and has come to its first step, which people do."""
    name = await site.ask(command=by_people.PROCEDURE.name)
    async with site.working():
        await site.reaches(name, State.WAITING_FOR_APPROVAL)
        await site.vote(name, BOB)
        await site.reaches(name, State.WAITING_FOR_A_PERSON)
    return name


async def test_no_worker_holds_it_and_the_cluster_is_its_own(site: Site) -> None:
    """Lease gone, lock kept, nothing that ends it by itself; after each Done it goes on."""
    name = await waiting(site)
    assert await site.redis.get(keys.lease(name)) is None
    assert await site.redis.get(LOCK) == name.encode()
    assert await site.redis.ttl(LOCK) == -1
    assert await site.redis.ttl(keys.events(name)) == -1
    assert await site.redis.zscore(keys.unfinished(SITE), name) is None
    assert await site.redis.zscore(keys.waiting(SITE), name) is not None
    turn = await site.runs.turn("etcd/demo")
    async with site.working():
        await site.says_done(name)
        await site.asks(name, "3.1")
        assert site.url() == (by_people.URL,)
        await site.says_done(name, BOB)
        run = await site.reaches(name, State.SUCCEEDED)
    assert await site.runs.turn("etcd/demo") == turn
    assert await site.redis.get(LOCK) is None
    assert [step.attempts for step in run.steps.values()] == [1, 1, 1]


async def test_nobody_else_changes_the_cluster_meanwhile(site: Site) -> None:
    """Another approved change waits until this one has ended."""
    name = await waiting(site)
    async with site.working():
        other = await site.ask(member="demo-2", url="https://10.8.8.8:2380")
        await site.reaches(other, State.WAITING_FOR_APPROVAL)
        await site.vote(other, BOB)

        async def held() -> bool:
            why = (await site.run(other)).held or ""
            return why.startswith(f"Run {name} is changing the cluster")

        await eventually(held, 15, "the other run is held")
        await site.decisions.cancel(name, ALICE, eligible)
        await site.reaches(other, State.SUCCEEDED)


async def test_a_worker_that_is_woken_for_nothing(site: Site) -> None:
    """Somebody puts a waiting run among the open ones: it goes on waiting, without an entry."""
    name = await waiting(site)
    before = await site.version(name)
    await site.redis.zadd(keys.unfinished(SITE), {name: 0})
    await site.redis.xadd(keys.queue(SITE), {"run": name})
    run = await nothing_happens(site, name)
    assert (run.state, await site.version(name)) == (State.WAITING_FOR_A_PERSON, before)
    assert await site.redis.get(LOCK) == name.encode()


@pytest.mark.parametrize(
    ("user", "asked", "words"),
    [
        (DAVE, "1.1", "Only who asked for it, or an approver, may say that it is done"),
        (BOB, "3.1", "It asks for something else by now"),
        (BOB, "1.2", "It asks for something else by now"),
        (BOB, "forged", "It asks for something else by now"),
    ],
)
async def test_done_that_does_not_count(site: Site, user: str, asked: str, words: str) -> None:
    """Of somebody who may not, or for something else than is asked for; nothing is written."""
    name = await waiting(site)
    before = await site.version(name)
    with pytest.raises(Refused, match=words):
        await site.says_done(name, UserId(user), asked=asked)
    assert await site.version(name) == before


async def test_done_twice_at_once(site: Site) -> None:
    """Two people press at the same moment: one is taken in, the other is told so."""
    name = await waiting(site)
    before = await site.version(name)
    results = await asyncio.gather(
        *(site.says_done(name, user, asked="1.1") for user in (ALICE, BOB)), return_exceptions=True
    )
    (refusal,) = [each for each in results if each is not None]
    assert str(refusal) == "Nothing waits for Done there: it is queued."
    assert await site.version(name) == before + 1


async def test_one_delivery_counts_once(site: Site) -> None:
    """Delivered again when it is asked for again, it is no second Done."""
    name = await waiting(site)
    await site.says_done(name, source="command:7")
    runs = Runs(site.redis, WORKER, KEYRING)
    await runs.hold(*await runs.take(name, SITE), Began("w"), Asked(1, 2, "no."), then="waiting")
    before = await site.version(name)
    with pytest.raises(Refused, match="That was taken in already"):
        await site.says_done(name, asked="1.2", source="command:7")
    assert await site.version(name) == before
    await site.says_done(name, asked="1.2", source="command:8")
    assert (await site.run(name)).state is State.QUEUED


async def test_done_before_and_after(site: Site) -> None:
    """While people still decide, and when it is over, nothing waits for Done."""
    name = await site.ask(command=by_people.PROCEDURE.name)
    async with site.working():
        await site.reaches(name, State.WAITING_FOR_APPROVAL)
    with pytest.raises(Refused, match="it is waiting for approval"):
        await site.says_done(name, asked="1.1")
    await site.vote(name, BOB, "reject")
    with pytest.raises(Refused, match="it is rejected"):
        await site.says_done(name, asked="1.1")


@pytest.mark.parametrize("signer", [STRANGER, WORKER], ids=["nobody's key", "a worker's key"])
async def test_a_forged_done_goes_no_further(site: Site, signer: Signer) -> None:
    """Only a front may write what a person says."""
    name = await waiting(site)
    await site.forge(name, signer, Reported(1, 1, BOB))
    run = await nothing_happens(site, name)
    assert run.state is State.WAITING_FOR_A_PERSON
    assert (await site.runs.read(name)).faults


async def test_a_done_of_a_front_for_something_else(site: Site) -> None:
    """A front's key alone opens nothing that a worker did not ask for."""
    name = await waiting(site)
    await site.forge(name, FRONT, Reported(2, 1, BOB))
    run = await nothing_happens(site, name)
    assert (run.state, set(run.steps)) == (State.WAITING_FOR_A_PERSON, {1})


async def test_a_cancel_while_it_waits(site: Site) -> None:
    """At once, without a worker; the cluster is free again, and a late Done is told so."""
    name = await waiting(site)
    await site.decisions.cancel(name, BOB, eligible)
    run = await site.run(name)
    assert (run.state, run.ended_by) == (State.CANCELLED, BOB)
    assert await site.redis.get(LOCK) is None
    assert await site.redis.zscore(keys.waiting(SITE), name) is None
    with pytest.raises(Refused, match="it is cancelled"):
        await site.says_done(name, asked="1.1")


async def test_a_worker_that_is_lost_over_a_done(site: Site) -> None:
    """What somebody said is not lost with it: another worker goes on from there."""
    name = await waiting(site)
    await site.says_done(name)
    runs = Runs(site.redis, WORKER, KEYRING, lease_ms=100)
    await runs.hold(*await runs.take(name, SITE), Began("lost"))
    await site.redis.delete(keys.queue(SITE))
    async with site.working():
        await site.asks(name, "3.1")
    assert site.url() == (by_people.URL,)


async def test_what_is_missing_is_asked_for_again(site: Site) -> None:
    """The lock stays with the run, the lease with nobody; the same Done does not count again."""
    name = await waiting(site)
    site.break_quorum()
    await site.says_done(name, BOB)
    async with site.working():
        run = await site.asks(name, "1.2")
    assert run.asked is not None
    assert run.asked.missing == (
        "No healthy voter is left to call. Look at the cluster's health first."
    )
    assert await site.redis.get(keys.lease(name)) is None
    assert await site.redis.get(LOCK) == name.encode()
    with pytest.raises(Refused, match="It asks for something else by now"):
        await site.says_done(name, BOB, asked="1.1")
    lines = [line.text for line in await site.runs.output(name)]
    assert lines == [f"not there yet: {run.asked.missing}"]


async def test_a_surprise_while_it_looks(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell whether it is done: a person decides, and it is not tried for ever."""
    name = await waiting(site)

    async def boom(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(site.sight.etcd, "sample", boom)
    await site.says_done(name)
    async with site.working():
        run = await site.reaches(name, State.IN_DOUBT)
    assert run.doubt is not None
    assert (run.doubt.step, site.url() == (by_people.URL,)) == (1, False)


async def test_what_is_missing_holds_no_secret(site: Site) -> None:
    """It is told in another program's words, and is stored without what must not be."""
    name = await waiting(site)
    await site.says_done(name)
    runs = Runs(site.redis, WORKER, KEYRING)
    redactor = Redactor({"token": b"correct-horse-battery"})
    hand = Hand(runs, *await runs.take(name, SITE), Shelf(0, 0, ()), redactor)
    await hand.write(Began("w"), Asked(1, 2, "refused with correct-horse-battery."))
    assert b"correct-horse-battery" not in b"".join(
        await site.redis.lrange(keys.events(name), 0, -1)  # type: ignore[arg-type]  # bytes here
    )
    assert (await site.run(name)).asked == hand.run.asked
