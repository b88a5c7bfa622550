"""Looking at a host that is to get a member."""

import asyncio
from collections.abc import Sequence

from bot.targets.ssh.model import FakeMachine, Say
from procedures.etcd.spare import look_at_spare
from procedures.model.ids import ClusterName
from tests.support.sight import a_sight

_TURNS = 20
"""Turns of the event loop after which all that is asked at once has been asked."""


async def test_its_own_question_is_not_taken_for_an_etcd() -> None:
    """`etcd --version` is a process called etcd for a moment; only the member counts."""
    sight = a_sight()
    cluster = sight.inventory.clusters[ClusterName("demo")]
    spare = cluster.hosts[-1]
    machine, running = sight.hosts.machines[spare.name], 0

    async def etcd(_: FakeMachine, __: Sequence[str], ___: bytes, say: Say) -> int:
        nonlocal running
        running += 1
        for _turn in range(_TURNS):
            await asyncio.sleep(0)
        await say("etcd Version: 3.4.23")
        running -= 1
        return 0

    async def pgrep(_: FakeMachine, __: Sequence[str], ___: bytes, ____: Say) -> int:
        for _turn in range(_TURNS // 2):
            await asyncio.sleep(0)
        return 0 if running else 1

    machine.programs |= {"etcd": etcd, "pgrep": pgrep}
    seen = await look_at_spare(cluster, spare, sight)
    assert (seen.runs, seen.minor) == (False, "3.4")
