"""Right before a call that changes something: whose run is it, and is it still wanted?"""

from collections.abc import Awaitable, Callable

import pytest

from bot.store import keys
from procedures.model.events import Done
from procedures.model.ids import RunId
from procedures.model.probe import Sample
from procedures.model.run import State, StepState
from tests.integration.worker.team import ALICE, BOB, Team, eligible, waiting_for_votes
from tests.support.waiting import eventually

Meanwhile = Callable[[RunId], Awaitable[None]]


async def approved(
    team: Team, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile
) -> tuple[RunId, list[str]]:
    """A run in which something happens while its first step looks; and the calls that it makes."""
    name = await waiting_for_votes(team)
    await team.vote(name, BOB)
    etcd, calls = team.sight.etcd, list[str]()
    sample, update = etcd.sample, etcd.update_peer_urls

    async def looking(*args: object) -> Sample:
        seen = await sample(*args)  # type: ignore[arg-type]
        if (await team.run(name)).steps and not calls:
            calls.append("look")
            await meanwhile(name)
        return seen

    async def calling(*args: object) -> None:
        calls.append("call")
        await update(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(etcd, "sample", looking)
    monkeypatch.setattr(etcd, "update_peer_urls", calling)
    return name, calls


async def test_another_worker_has_the_run(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lost the lease calls nothing, and writes nothing more."""
    before = team.url()

    async def lose(name: RunId) -> None:
        await team.redis.set(keys.lease(name), "999999", px=60_000)

    name, calls = await approved(team, monkeypatch, lose)
    async with team.working():
        await eventually(lambda: calls == ["look"], 10, "the step has looked")
    assert calls == ["look"]
    assert team.url() == before
    run = await team.run(name)
    assert run.steps[1].state is StepState.STARTED
    entries = (await team.runs.read(name)).entries
    assert not any(isinstance(entry.event, Done) for entry in entries)


async def test_somebody_asks_for_the_end(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed before the call, and nothing is sent."""
    before = team.url()

    async def cancel(name: RunId) -> None:
        await team.decisions.cancel(name, ALICE, eligible)

    name, calls = await approved(team, monkeypatch, cancel)
    async with team.working():
        run = await team.reaches(name, State.CANCELLED)
    assert await team.runs.holder("etcd/demo") is None
    assert calls == ["look"]
    assert team.url() == before
    assert run.error == "nothing was done."


async def test_the_cluster_is_locked_for_the_run(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before its first step looks, so that no other run changes what it has seen."""
    holders: list[RunId | None] = []

    async def look(_: RunId) -> None:
        holders.append(await team.runs.holder("etcd/demo"))

    name, _ = await approved(team, monkeypatch, look)
    async with team.working():
        await team.reaches(name, State.SUCCEEDED)
    assert holders == [name]
