"""Looking at a host that is to get a member."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.targets.ssh.model import FakeMachine, Say
from procedures.etcd.spare import look_at_spare
from procedures.model.errors import Refused
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


@pytest.mark.parametrize(
    ("mount", "there", "free"),
    [
        ("/var/lib/etcd", True, 1_000),
        ("/var/lib", True, 1_000),
        ("/var", False, 1_000),
        ("/srv", True, 5_000),
    ],
)
async def test_room_is_that_of_the_disk_where_the_data_will_lie(
    mount: str, there: bool, free: int
) -> None:
    """R13: of the folder's own mount; where it is not there yet, of the one above that is."""
    sight = a_sight()
    cluster = sight.inventory.clusters[ClusterName("demo")]
    machine = sight.hosts.machines["demo-4"]
    machine.free_bytes, machine.free_at = 5_000, {mount: 1_000}
    machine.mounts[mount] = "/dev/vdb"
    if not there:
        machine.files.remove("/var/lib")
    seen = await look_at_spare(cluster, cluster.hosts[-1], sight)
    assert seen.free_bytes == free


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        ("df", 1, r"`df /var/lib/etcd` on demo-4 does not tell the room"),
        ("ls", 2, r"`ls -A -- /var/lib/etcd` on demo-4 ended with status 2"),
    ],
)
async def test_a_disk_that_fails(program: str, status: int, words: str) -> None:
    """Neither its room is that of the disk above, nor is a folder empty that cannot be read (X16).

    A program ends alike where there is no such folder, and says so.
    """
    sight = a_sight()
    cluster = sight.inventory.clusters[ClusterName("demo")]

    async def failing(_: FakeMachine, argv: Sequence[str], ___: bytes, say: Say) -> int:
        await say(f"{program}: {argv[-1]}: Input/output error")
        return status

    sight.hosts.machines["demo-4"].programs[program] = failing
    with pytest.raises(Refused, match=words):
        await look_at_spare(cluster, cluster.hosts[-1], sight)
