"""Connections that break at bad moments, on a real sshd: nothing twice, and nothing missing."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from procedures.model.errors import Retryable
from tests.contract.hosts.worlds import WAIT, Gate, Piece, RealWorld, chunks
from tests.support.waiting import eventually

LINES = 100_000


async def test_output_over_many_connections(real: RealWorld) -> None:
    """However often the connection is cut, each line is said once and in order."""
    real.way.cut_after = 150_000
    piece = Piece(real)
    assert await piece.run("sh", "-c", f"echo begun; seq 1 {LINES}") == 0
    assert piece.said == ["begun", *(str(number) for number in range(1, LINES + 1))]
    assert real.way.accepted > 3


async def test_a_cut_while_nothing_is_printed(real: RealWorld, gate: Gate) -> None:
    """It is found again, and not started again."""
    piece = Piece(real)
    running = await piece.begun("sh", "-c", f"echo begun; {WAIT}; echo over; exit 4", gate.path)
    real.way.cut()
    await eventually(lambda: real.way.accepted == 2, 10, "there is a new connection")
    gate.open()
    assert await running == 4
    assert piece.said == ["begun", "over"]


async def test_a_connection_that_hangs(real: RealWorld, gate: Gate) -> None:
    """It is noticed by itself, and another is made."""
    piece = Piece(real)
    running = await piece.begun("sh", "-c", f"echo begun; {WAIT}; echo over", gate.path)
    real.way.freeze()
    gate.open()
    await eventually(lambda: real.way.accepted >= 2, 20, "it was tried anew")
    real.way.cut()
    real.way.thaw()
    assert await running == 0
    assert piece.said == ["begun", "over"]


async def test_input_that_does_not_arrive_whole(real: RealWorld) -> None:
    """The command is not started with half of it, but when all is there, once."""
    data = bytes(range(256)) * 40_000
    piece = Piece(real)
    running = asyncio.create_task(piece.run("sh", "-c", "sha256sum", stdin=data))
    await eventually(lambda: bool(list(real.state.glob(".new-*/stdin"))), 10, "some has arrived")
    real.way.cut()
    assert await running == 0
    assert [line.split()[0] for line in piece.said] == [hashlib.sha256(data).hexdigest()]
    await eventually(lambda: not list(real.state.glob(".new-*")), 10, "the half of it is gone")


async def test_an_upload_that_breaks(real: RealWorld) -> None:
    """It can be tried again, and nothing of the first is left."""
    path = f"/var/lib/etcd/{real.run}"
    arrived = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000
            arrived.set()

    sending = asyncio.create_task(real.hosts.send(real.cluster, real.host, path, endless()))
    await arrived.wait()
    real.way.cut()
    with pytest.raises(Retryable, match="nothing of it was kept"):
        await sending
    await eventually(
        lambda: not [each for each in real.names("/var/lib/etcd") if real.run in each],
        10,
        "nothing is left",
    )
    await real.hosts.send(real.cluster, real.host, path, chunks(b"whole"))
    assert real.content(path) == b"whole"


async def test_a_download_that_breaks(real: RealWorld) -> None:
    """It can be tried again, and is never taken for whole."""
    path, size = f"/var/lib/etcd/{real.run}", 20_000_000
    real.put(path, b"x" * size)
    real.way.cut_after = size // 2
    sizes: list[int] = []

    async def fetch() -> None:
        async for chunk in real.hosts.fetch(real.cluster, real.host, path):
            sizes.append(len(chunk))  # noqa: PERF401 (those before the break count)

    with pytest.raises(Retryable, match="broke off after"):
        await fetch()
    assert 0 < sum(sizes) < size
    sizes.clear()
    real.way.cut_after = None
    real.way.cut()
    await fetch()
    assert sum(sizes) == size


async def test_a_download_that_is_left(real: RealWorld) -> None:
    """Whoever stops reading leaves nothing running."""
    path = f"/var/lib/etcd/{real.run}"
    real.put(path, b"x" * 20_000_000)
    fetching = real.hosts.fetch(real.cluster, real.host, path)
    assert await anext(fetching)
    await fetching.aclose()  # type: ignore[attr-defined]
    assert not isinstance(await real.hosts.machine(real.cluster, real.host), BaseException)
    assert await Piece(real).run("true") == 0


async def test_a_large_file(real: RealWorld) -> None:
    """It goes through as a stream, up and down."""
    path, part = f"/var/lib/etcd/{real.run}", bytes(range(256)) * 4096
    seen = hashlib.sha256()

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            seen.update(part)
            yield part

    assert await real.hosts.send(real.cluster, real.host, path, parts()) == seen.hexdigest()
    got = hashlib.sha256()
    async for chunk in real.hosts.fetch(real.cluster, real.host, path):
        got.update(chunk)
    assert got.digest() == seen.digest()


@pytest.mark.parametrize("most", [2_000, 2_400, 2_800, 3_200, 3_600, 4_000, 4_400])
async def test_a_cut_between_start_and_answer(real: RealWorld, most: int) -> None:
    """Wherever the first connection is cut, it is started once, or can be tried again."""
    file, piece = f"/etc/etcd/{real.run}", Piece(real)
    real.put(file, b"")
    real.way.cut_after = most
    running = asyncio.create_task(piece.run("sh", "-c", 'echo x >>"$0"; echo done', file))
    await eventually(lambda: real.way.accepted > 0, 10, "it was tried")
    real.way.cut_after = None
    try:
        assert await running == 0
    except Retryable:
        assert real.content(file) == b""
        assert await piece.run("sh", "-c", 'echo x >>"$0"; echo done', file) == 0
    assert real.content(file) == b"x\n"
    assert piece.said == ["done"]
