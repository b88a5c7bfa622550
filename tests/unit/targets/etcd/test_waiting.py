"""A look waits for everybody who may matter, and for nobody who is gone for good."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.proof import Prover
from bot.targets.etcd.target import locate
from bot.targets.etcd.waiting import in_time
from procedures.model.ids import MemberId, MemberName
from procedures.model.probe import Fault, FaultKind, ListedMember, MemberProbe, Read, Status

GONE = "http://10.0.0.3:2379"


def member(number: int, cluster: str, *listed: int) -> MemberProbe:
    """What a healthy member says, with the list that it gives."""
    status = Status(
        member_id=MemberId(str(number)),
        cluster_id=MemberId(cluster),
        version="3.4.23",
        leader=MemberId("1"),
        learner=False,
        raft_term=1,
        raft_index=1,
        raft_applied_index=1,
        revision=1,
        db_size=1,
        db_size_in_use=1,
        quota=None,
        storage_version=None,
        errors=(),
    )
    rows = tuple(
        ListedMember(
            MemberId(str(each)),
            f"m-{each}",
            (f"http://10.0.0.{each}:2380",),
            (f"http://10.0.0.{each}:2379",),
            learner=False,
        )
        for each in listed
    )
    read = Read(1, linearizable=True)
    return MemberProbe(f"http://10.0.0.{number}:2379", None, status, read, rows, ())


async def asked(*probes: MemberProbe, hopeless: bool = True) -> MemberProbe | None:
    """Ask these and a silent one; what is made of that, None where it is waited for."""

    async def tell(probe: MemberProbe) -> MemberProbe:
        return probe

    async def silence() -> MemberProbe:
        await asyncio.Event().wait()
        raise AssertionError

    questions = [(probe.endpoint, None, tell(probe)) for probe in probes]
    waiting = in_time([*questions, (GONE, MemberName("m-3"), silence())], lambda _: hopeless)
    try:
        async with asyncio.timeout(0.2):
            return (await waiting)[-1]
    except TimeoutError:
        return None


async def test_no_member_and_out_of_reach() -> None:
    """It is not waited for, and what is said of it blames nobody."""
    probe = await asked(member(1, "a", 1, 2), member(2, "a", 1, 2))
    assert probe
    assert isinstance(probe.status, Fault)
    assert probe.status.kind is FaultKind.SKIPPED


@pytest.mark.parametrize(
    ("probes", "hopeless"),
    [
        ((member(1, "a", 1, 2), member(2, "a", 1, 2)), False),
        ((member(1, "a", 1, 2, 3), member(2, "a", 1, 2, 3)), True),
        ((member(1, "a", 1, 2), member(2, "a", 1, 2, 3)), True),
        ((member(1, "a", 1, 2),), True),
        ((member(1, "a", 1), member(2, "b", 2)), True),
    ],
    ids=["reached before", "a member", "in one list", "only half answered", "two clusters"],
)
async def test_whoever_may_matter(probes: tuple[MemberProbe, ...], *, hopeless: bool) -> None:
    """Is waited for."""
    assert await asked(*probes, hopeless=hopeless) is None


@pytest.fixture
def swallowing() -> Iterator[str]:
    """A port whose queue is full: nobody refuses, and nobody gets through."""
    with ExitStack() as stack:
        port = stack.enter_context(socket.socket())
        port.bind(("127.0.0.1", 0))
        port.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(port.getsockname())
        yield f"http://127.0.0.1:{port.getsockname()[1]}"


async def test_the_way_to_one_that_is_gone(swallowing: str) -> None:
    """A whole deadline at first, a quarter of one for a while after."""
    prover, target = Prover(lambda: 0), locate(swallowing, "m-3")
    took = []
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(FaultError, match="no connection within"):
            await prover.prove(target, Deadline.after(2_000))
        took.append(time.monotonic() - began)
        assert prover.missed(swallowing)
    prover.close()
    assert took[0] >= 2
    assert took[1] < 1.8
