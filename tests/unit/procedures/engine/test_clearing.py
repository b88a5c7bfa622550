"""What is left on hosts when a run has ended."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import pytest

from bot.targets.ssh.memory import FakeHosts
from bot.targets.ssh.model import FakeMachine, Say
from procedures.engine import clearing
from procedures.model.events import CancelAsked
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Host
from procedures.model.run import State
from tests.support.script import Script
from tests.support.theatre import BOB, RUN, Theatre, a_theatre
from tests.unit.procedures.engine.cases import CASES

TWO = "demo-2"


def machine(theatre: Theatre, name: str = TWO) -> FakeMachine:
    return theatre.sight.hosts.machines[name]


async def restart() -> Theatre:
    theatre = a_theatre("etcd restart", {"member": TWO})
    await theatre.approved()
    return theatre


async def test_nothing_is_kept_of_a_run_that_has_succeeded() -> None:
    """On the hosts of its steps, and only there anything was kept; nothing of it starts late."""
    theatre = await restart()
    await theatre.work()
    assert theatre.run.state is State.SUCCEEDED
    assert machine(theatre).over
    assert not machine(theatre).work
    forgetting = {name for name, each in theatre.sight.hosts.machines.items() if each.forgotten}
    assert forgetting == {TWO}


async def test_what_failed_may_be_resumed() -> None:
    """So what it has left stays."""
    theatre = await restart()

    async def fails(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        return 1

    machine(theatre).programs["systemctl"] = fails
    await theatre.work()
    assert theatre.run.state is State.FAILED
    assert machine(theatre).work
    assert not machine(theatre).forgotten


@dataclass(slots=True)
class LeavingHosts(FakeHosts):
    """The same machines; the one that is to forget a run is gone, or never answers."""

    hangs: bool = False

    async def forget(self, cluster: Cluster, host: Host, run: RunId) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        self.machines[host.name].power_off()
        await FakeHosts.forget(self, cluster, host, run)


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_host_that_is_gone_by_then(hangs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has succeeded all the same, and says what is left."""
    monkeypatch.setattr(clearing, "_WITHIN_S", 0.01)
    theatre = await restart()
    was = theatre.sight.hosts
    theatre.sight.hosts = LeavingHosts(
        was.clock, was.machines, was.writable, was.effects, hangs=hangs
    )
    pen = await theatre.work()
    assert theatre.run.state is State.SUCCEEDED
    (line,) = [line for line in pen.said if "cleared away later" in line]
    assert line.startswith("demo-2: what is kept there of this run")


@pytest.mark.parametrize("ends", [False, True])
async def test_a_cancelled_run_leaves_nothing_either(ends: bool) -> None:
    """What was under way is stopped, which its end says, unless it was done; then all goes."""
    case = CASES["back up a v2 store"]
    theatre = a_theatre(case.procedure, case.args)
    case.ready(theatre)
    await theatre.approved()

    async def tar(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        await say("packing")
        theatre.append(CancelAsked(BOB))
        with suppress(asyncio.CancelledError) if ends else nullcontext():
            await asyncio.Event().wait()
        return 0

    for each in theatre.sight.hosts.machines.values():
        each.programs["tar"] = tar
    pen = await theatre.work(Script())
    run = theatre.run
    assert run.state is State.CANCELLED
    assert run.error is not None
    assert run.error.startswith("done before: " if ends else "stopped under way: ")
    assert ends or "Done before: " in run.error
    assert "packing" in pen.said
    assert not any(each.work for each in theatre.sight.hosts.machines.values())
    assert any(RUN in each.forgotten for each in theatre.sight.hosts.machines.values())
