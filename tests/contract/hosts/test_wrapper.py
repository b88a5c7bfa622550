"""What the wrapper leaves on a real machine, and whom it takes for whom."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from procedures.model.errors import InDoubt, Permanent
from procedures.model.host import Ended, Lost, Running
from tests.contract.hosts.worlds import WAIT, Gate, Piece, RealWorld
from tests.support.waiting import alive, eventually


def files(world: RealWorld) -> dict[str, int]:
    """What is kept of the test's run, with modes."""
    return {
        str(each.relative_to(world.state)): each.lstat().st_mode & 0o777
        for each in world.state.rglob("*")
    }


def record(world: RealWorld) -> tuple[Path, int]:
    """Where the process that carries the work out is noted, and its id."""
    (path,) = world.state.glob("*/record")
    return path, int(path.read_text().split()[0])


async def test_what_is_kept_is_roots_alone(real: RealWorld) -> None:
    """Nobody else reads what was printed; what was handed in is not kept."""
    assert await Piece(real).run("sh", "-c", "cat", stdin=b"a secret") == 0
    kept = files(real)
    assert kept == {
        "1-1-work": 0o700,
        "1-1-work/out": 0o600,
        "1-1-work/record": 0o600,
        "1-1-work/status": 0o600,
    }
    for folder in (real.state, real.state.parent, real.state.parent.parent):
        assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, 0)


async def test_input_is_gone_as_soon_as_it_is_read(real: RealWorld) -> None:
    """It lies nowhere while the command runs."""
    piece = Piece(real)
    task = asyncio.create_task(piece.run("sh", "-c", "cat; sleep 60", stdin=b"secret\n"))
    await eventually(lambda: piece.said == ["secret"], 10, "it was read")
    assert not [name for name in files(real) if "stdin" in name]
    await real.hosts.stop(real.cluster, real.host, piece.mark)
    await task


async def test_nothing_is_left_of_a_run_that_is_over(real: RealWorld) -> None:
    """But an empty file of its name, so that nothing of it starts late."""
    assert await Piece(real).run("true") == 0
    await real.hosts.forget(real.cluster, real.host, real.run)
    assert real.state.is_file()
    assert real.state.read_bytes() == b""
    assert not real.heirs()


async def test_what_is_a_week_old_is_cleared_away(real: RealWorld) -> None:
    """At the next use; what is in use, and what is younger, stays."""
    runs, scratch = real.state.parent, real.state.parent.parent / "files"
    running = await Piece(real).begun("sh", "-c", "echo begun; sleep 60")
    for name, days in (("r-OLD00000", 8), ("r-YOUNG000", 6)):
        (runs / name / "1-1-work").mkdir(parents=True)
        (runs / name / "1-1-work" / "status").write_text("0\n")
        (scratch / name).mkdir()
        for folder in (runs, scratch):
            _age(folder / name, days)
    (scratch / "r-ALONE000").mkdir()
    _age(scratch / "r-ALONE000", 8)
    (runs / "r-TOMB0000").touch()
    _age(runs / "r-TOMB0000", 8)
    _age(real.state, 8)
    assert await Piece(real, "next").run("true") == 0
    assert real.state.is_dir()
    names = {each.name for folder in (runs, scratch) for each in folder.iterdir()}
    assert "r-YOUNG000" in names
    assert not {"r-OLD00000", "r-ALONE000", "r-TOMB0000"} & names
    await real.hosts.stop(real.cluster, real.host, Piece(real).mark)
    await running


def _age(path: Path, days: int) -> None:
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))


async def test_output_that_was_taken_needs_no_space(real: RealWorld, gate: Gate) -> None:
    """While the work goes on, what is stored of it is given back to the disk."""
    piece = Piece(real)
    script = f"seq 1 1000000; echo begun; {WAIT}"
    running = await piece.begun("sh", "-c", script, gate.path)
    (out,) = real.state.glob("*/out")
    size = out.stat().st_size
    await eventually(lambda: out.stat().st_blocks * 512 < size / 2, 20, "its space is given back")
    gate.open()
    assert await running == 0
    assert len(piece.said) == 1_000_001
    late = Piece(real)  # which knows of no place, and is spared what is gone
    assert await late.run("true") == 0
    assert late.said == piece.said[len(piece.said) - len(late.said) :]
    assert len(late.said) < 1_000_001


async def test_who_follows_may_die(real: RealWorld, gate: Gate) -> None:
    """Killing all that the connection started on the machine does not end the work."""
    piece = Piece(real)
    running = await piece.begun("sh", "-c", f"echo begun; {WAIT}; echo over", gate.path)
    for pid in _children(real.server.pid) - {record(real)[1], *real.heirs()}:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    gate.open()
    assert await running == 0
    assert piece.said == ["begun", "over"]


def _children(pid: int) -> set[int]:
    """All descendants of a process that are still its descendants."""
    found = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            found |= {int(child), *_children(int(child))}
    return found


async def test_a_carrier_that_is_killed(real: RealWorld) -> None:
    """While the command itself goes on, it runs; when that is gone too, it is lost."""
    piece = Piece(real)
    where = (real.cluster, real.host, piece.mark)
    running = await piece.begun("sh", "-c", "echo begun; sleep 60")
    os.kill(record(real)[1], signal.SIGKILL)
    assert await real.hosts.settle(*where) == Running()
    assert real.heirs()
    assert await real.hosts.stop(*where) == Lost()
    assert not real.heirs()
    with pytest.raises(InDoubt, match="gone without an exit status"):
        await running


async def test_a_process_id_that_is_used_again(real: RealWorld) -> None:
    """Another process is not taken for it, and never ended."""
    piece = Piece(real)
    where = (real.cluster, real.host, piece.mark)
    assert await piece.run("true") == 0
    path, _ = record(real)
    _, began, boot = path.read_text().split()
    (path.parent / "status").unlink()
    other = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)
    try:
        path.write_text(f"{other.pid} {began} {boot}\n")
        assert await real.hosts.settle(*where) == Lost()
        assert await real.hosts.stop(*where) == Lost()
        assert alive(other.pid)
    finally:
        other.kill()
        await other.wait()


async def test_children_in_sessions_of_their_own_are_ended_too(real: RealWorld) -> None:
    """Leaving the group is no way out."""
    piece = Piece(real)
    running = await piece.begun("sh", "-c", "setsid sleep 61 & sleep 62 & echo begun; sleep 63")
    assert len(real.heirs()) >= 4
    ended = await real.hosts.stop(real.cluster, real.host, piece.mark)
    assert isinstance(ended, Ended)
    assert not real.heirs()
    await running


async def test_signals_are_told_as_shells_tell_them(real: RealWorld) -> None:
    """128 and the signal's number."""
    assert await Piece(real).run("sh", "-c", "kill -SEGV $$") == 128 + signal.SIGSEGV


async def test_long_lines_are_cut(real: RealWorld) -> None:
    """Into parts of 64 KiB, and nothing is missing."""
    piece = Piece(real)
    script = "head -c 200000 /dev/zero | tr '\\0' x; echo; echo end"
    assert await piece.run("sh", "-c", script) == 0
    assert [len(line) for line in piece.said] == [65536, 65536, 65536, 3392, 3]


async def test_where_it_works(real: RealWorld) -> None:
    """In /, with the usual mask, and with root's tools on its path, however one logs in."""
    piece = Piece(real)
    assert await piece.run("sh", "-c", "pwd; umask; echo $PATH") == 0
    assert piece.said[:2] == ["/", "0022"]
    assert {"/usr/local/bin", "/usr/sbin"} <= set(piece.said[2].split(":"))


async def test_what_the_login_prints_is_not_taken_for_output(real: RealWorld) -> None:
    """Also where a shell greets everybody."""
    (real.server.directory / "authorized_keys").write_text(
        'environment="ENV=/etc/etcd/greeting" '
        + (real.server.directory / "authorized_keys").read_text()
    )
    said = await real.hosts.ask(real.cluster, real.host, ["echo", "x"])
    assert getattr(said, "out", "") == "x\n"


async def test_a_folder_that_is_somebody_elses(real: RealWorld) -> None:
    """Nothing is begun where others could have prepared what is found."""
    state = real.state.parent.parent
    assert await Piece(real).run("true") == 0
    os.chown(state, 12345, 12345)
    try:
        with pytest.raises(Permanent, match="belongs to somebody else"):
            await Piece(real, "next").run("true")
    finally:
        os.chown(state, 0, 0)


async def test_a_command_that_is_too_long(real: RealWorld) -> None:
    """It is said before anything is sent."""
    with pytest.raises(Permanent, match="longer than a machine takes"):
        await Piece(real).run("echo", "x" * 150_000)
