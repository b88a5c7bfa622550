"""Work on machines: started once at most, found again by its mark, and ended when it has to be."""

import asyncio
import hashlib

import pytest

from procedures.model.errors import InDoubt, Permanent, Retryable
from procedures.model.host import Ended, Lost, NeverStarted, Running, Trace
from tests.contract.hosts.worlds import WAIT, Gate, Piece, World, chunks
from tests.support.waiting import eventually

COUNT = f"echo begun; seq 1 20; {WAIT}; seq 21 300"
STUBBORN = "trap '' TERM; sleep 60 & echo begun; while :; do sleep 60; done"


async def settle(world: World, piece: Piece) -> Trace:
    return await world.others().settle(world.cluster, world.host, piece.mark)


async def stop(world: World, piece: Piece) -> Trace:
    return await world.others().stop(world.cluster, world.host, piece.mark)


async def test_a_command_runs_to_its_end(world: World) -> None:
    """All that it prints is said, line by line, with its errors; then its status is given."""
    piece = Piece(world)
    assert await piece.run("sh", "-c", "echo one; echo two >&2; printf three; exit 7") == 7
    assert piece.said == ["one", "two", "three"]
    assert await settle(world, piece) == Ended(7)


async def test_arguments_and_input_arrive_as_they_are(world: World) -> None:
    """No shell makes anything of arguments; what it reads is what it was given."""
    piece = Piece(world)
    words = ["$(id)", "a'b\"c", "two  words", "", "*", "`id`"]
    data = bytes(range(256)) * 512
    script = 'for word; do echo "[$word]"; done; sha256sum'
    assert await piece.run("sh", "-c", script, "sh", *words, stdin=data) == 0
    assert piece.said[:-1] == [f"[{word}]" for word in words]
    assert piece.said[-1].split()[0] == hashlib.sha256(data).hexdigest()


async def test_a_program_that_is_not_there(world: World) -> None:
    """The status is 127, as in a shell."""
    assert await Piece(world).run("no-such-program") == 127


async def test_what_is_no_text_is_written_so_that_it_can_be_read(world: World) -> None:
    """Bytes that are no UTF-8 are said as what they are."""
    piece = Piece(world)
    assert await piece.run("sh", "-c", r"printf 'a\377b\nüber\n'") == 0
    assert piece.said == ["a\\xffb", "über"]


async def test_many_lines(world: World) -> None:
    """All are said, in order, each once."""
    piece = Piece(world)
    assert await piece.run("sh", "-c", "seq 1 100000") == 0
    assert piece.said == [str(number) for number in range(1, 100_001)]


async def test_the_same_mark_is_started_once(world: World, gate: Gate) -> None:
    """Of callers at the same time one starts it; all follow it to its end."""
    pieces = [Piece(world) for _ in range(4)]
    script = 'echo x >>"$0"; echo begun; exit 5'
    found = await asyncio.gather(
        *(piece.run("sh", "-c", script, gate.path, hosts=world.others()) for piece in pieces)
    )
    assert found == [5, 5, 5, 5]
    assert gate.content() == "x\n"
    assert "begun" in {line for piece in pieces for line in piece.said}


async def test_a_late_duplicate_starts_nothing(world: World) -> None:
    """It is given what the first one was."""
    first = Piece(world)
    late = Piece(world, heard=first.heard)
    assert await first.run("sh", "-c", "echo once; exit 3") == 3
    assert await late.run("sh", "-c", "echo twice; exit 4") == 3
    assert late.said == ["once"]


async def test_another_attempt_is_other_work(world: World) -> None:
    """And so is a piece of another name."""
    assert await Piece(world).run("false") == 1
    assert await Piece(world, attempt=2).run("true") == 0
    assert await Piece(world, "other").run("true") == 0


async def test_what_was_looked_for_never_starts(world: World) -> None:
    """Whoever looks for work that was not started keeps it from starting."""
    piece = Piece(world)
    assert await settle(world, piece) == NeverStarted()
    assert await settle(world, piece) == NeverStarted()
    with pytest.raises(Permanent, match="was not started on machine-1"):
        await piece.run("sh", "-c", "echo started")
    assert piece.said == []


async def test_work_that_runs_is_found(world: World) -> None:
    """Nobody is kept from looking."""
    piece = Piece(world)
    running = await piece.begun("sh", "-c", "echo begun; sleep 60")
    assert await settle(world, piece) == Running()
    assert isinstance(await stop(world, piece), Ended)
    assert await running in {137, 143}


async def test_stopping_ends_the_whole_group(world: World) -> None:
    """Also those that do not heed the first signal, and their children."""
    piece = Piece(world)
    running = await piece.begun("sh", "-c", STUBBORN)
    ended = await stop(world, piece)
    assert isinstance(ended, Ended)
    assert ended.status in {137, 143}
    assert await running == ended.status
    assert await settle(world, piece) == ended


async def test_stopping_what_is_over_or_never_began(world: World) -> None:
    """The first keeps its status; the second never begins."""
    over, never = Piece(world), Piece(world, "never")
    assert await over.run("true") == 0
    assert await stop(world, over) == Ended(0)
    assert await stop(world, never) == NeverStarted()
    with pytest.raises(Permanent):
        await never.run("true")


async def test_a_time_limit_ends_it(world: World) -> None:
    """The status is 124 then, as of `timeout`."""
    piece = Piece(world)
    assert await piece.run("sh", "-c", "echo begun; sleep 60", limit_ms=500) == 124
    assert piece.said == ["begun"]
    assert await settle(world, piece) == Ended(124)


async def test_a_caller_that_goes_leaves_it_running(world: World, gate: Gate) -> None:
    """Whoever comes next is told the rest: each line once."""
    first = Piece(world)
    second = Piece(world, heard=first.heard)
    running = await first.begun("sh", "-c", COUNT, gate.path, until="20")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await settle(world, first) == Running()
    gate.open()
    assert await second.run("sh", "-c", "echo twice", hosts=world.others()) == 0
    assert second.said == ["begun", *(str(n) for n in range(1, 301))]


async def test_what_is_printed_while_nobody_follows(world: World, gate: Gate) -> None:
    """Is said to whoever comes when all is over."""
    piece = Piece(world)
    running = await piece.begun("sh", "-c", COUNT, gate.path, until="20")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gate.open()

    async def over() -> bool:
        return isinstance(await settle(world, piece), Ended)

    await eventually(over, 20, "it is over")
    assert len(piece.said) == 21
    assert await piece.run("sh", "-c", "echo twice", hosts=world.others()) == 0
    assert piece.said == ["begun", *(str(n) for n in range(1, 301))]


async def test_who_knows_of_no_place_begins_at_the_first_line(world: World) -> None:
    """All of it is said once more, to who has stored nothing."""
    first, second = Piece(world), Piece(world)
    for each in (first, second):
        assert await each.run("sh", "-c", "echo one; echo two") == 0
        assert each.said == ["one", "two"]


async def test_a_machine_that_is_lost_while_it_works(world: World, gate: Gate) -> None:
    """It is in doubt; when the machine is found again, so is the work, which goes on."""
    first = Piece(world)
    second = Piece(world, heard=first.heard)
    running = await first.begun("sh", "-c", f"echo begun; {WAIT}; echo over", gate.path)
    await world.lose()
    with pytest.raises(InDoubt, match="machine-1"):
        await running
    with pytest.raises(InDoubt):
        await settle(world, first)
    await world.find()
    assert await settle(world, first) == Running()
    gate.open()
    assert await second.run("sh", "-c", "echo twice", hosts=world.others()) == 0
    assert second.said == ["begun", "over"]


async def test_a_machine_that_boots_while_it_works(world: World) -> None:
    """Nobody can tell how far it came."""
    piece = Piece(world)
    running = await piece.begun("sh", "-c", "echo begun; sleep 60")
    await world.reboot()
    with pytest.raises(InDoubt):
        await running
    assert await settle(world, piece) == Lost()
    assert await stop(world, piece) == Lost()
    with pytest.raises(InDoubt, match="gone without an exit status"):
        await Piece(world).run("sh", "-c", "echo again", hosts=world.others())


async def test_nothing_is_begun_on_a_lost_machine(world: World) -> None:
    """What was never sent can be tried again; what may have been is in doubt."""
    await world.lose()
    hosts, where = world.others(), (world.cluster, world.host)
    piece = Piece(world)
    with pytest.raises(Retryable, match="was not begun, and can be tried again"):
        await piece.run("true", hosts=hosts)
    with pytest.raises(Retryable):
        await hosts.write(*where, "/etc/etcd/new", b"x", was=None)
    with pytest.raises(Retryable):
        await hosts.send(*where, "/etc/etcd/new", chunks(b"x"))
    with pytest.raises(Retryable):
        _ = [chunk async for chunk in hosts.fetch(*where, "/etc/etcd/new")]
    with pytest.raises(Retryable):
        await hosts.forget(*where, world.run)
    for asked in (hosts.settle, hosts.stop):
        with pytest.raises(InDoubt):
            await asked(*where, piece.mark)
    await world.find()
    assert await piece.run("true") == 0


async def test_a_run_that_is_forgotten(world: World) -> None:
    """Nothing is kept of it, and nothing of it starts any more."""
    piece = Piece(world)
    folder = f"/var/lib/quorumbot/files/{world.run}"
    where = (world.cluster, world.host)
    assert await piece.run("true") == 0
    await world.hosts.send(*where, f"{folder}/snapshot.db", chunks(b"data"))
    assert world.content(f"{folder}/snapshot.db") == b"data"
    await world.hosts.forget(*where, world.run)
    await world.hosts.forget(*where, world.run)
    assert world.content(f"{folder}/snapshot.db") is None
    with pytest.raises(Permanent, match="is over"):
        await Piece(world, "late").run("true")
    assert await settle(world, Piece(world, "late")) == NeverStarted()


async def test_a_run_in_use_is_not_forgotten(world: World) -> None:
    """It has to be stopped first."""
    piece = Piece(world)
    running = await piece.begun("sh", "-c", "echo begun; sleep 60")
    with pytest.raises(Permanent, match="still running"):
        await world.hosts.forget(world.cluster, world.host, world.run)
    await stop(world, piece)
    await running
    await world.hosts.forget(world.cluster, world.host, world.run)
