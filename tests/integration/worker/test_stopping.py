"""Somebody asks for the end while a command runs on a host."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.run import State
from tests.integration.worker.team import ALICE, BOB, Team, eligible
from tests.support.requests import a_request
from tests.support.sight import a_sight
from tests.support.waiting import eventually


async def test_the_command_is_stopped_and_nothing_is_left(team: Team) -> None:
    """Its last words are stored, and the run says what was stopped."""
    team.sight = a_sight()
    machine = team.sight.hosts.machines["demo-4"]
    machine.files.folder("/var/lib/etcd/member")

    async def move(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        await say("it takes long")
        await asyncio.Event().wait()
        return 0

    machine.programs["mv"] = move
    request = a_request("etcd retire")
    request = replace(request, args={"cluster": request.cluster, "host": "demo-4"})
    name = await team.runs.accept(request, source="1")
    async with team.working():
        run = await team.reaches(name, State.WAITING_FOR_APPROVAL, State.REFUSED, State.FAILED)
        assert run.state is State.WAITING_FOR_APPROVAL, run.error
        await team.vote(name, BOB)

        async def begun() -> bool:
            return "it takes long" in [line.text for line in await team.runs.output(name)]

        await eventually(begun, 15, "the command runs")
        await team.decisions.cancel(name, ALICE, eligible)
        run = await team.reaches(name, State.CANCELLED, State.IN_DOUBT, State.FAILED)
    assert run.state is State.CANCELLED
    assert "stopped under way: " in str(run.error)
    assert not machine.work
    assert [work.status for work in machine.over.values() if work.argv[0] == "mv"] == [143]
    texts = [line.text for line in await team.runs.output(name)]
    assert texts[-1] == "demo-4: nothing of it runs any more"
