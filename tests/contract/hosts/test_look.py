"""Looking at machines: what they say, and that a fault is an answer."""

import pytest

from procedures.model.host import FileSeen, Machine, Said
from procedures.model.probe import Fault, FaultKind
from tests.contract.hosts.worlds import Target, World

AWKWARD = [
    "",
    " ",
    "two words",
    "a'b\"c",
    "$(id)",
    "`id`",
    "${HOME}",
    "a\nb",
    "*",
    "-n",
    "\\",
    "ü;|&",
]


async def ask(world: World, *argv: str, limit_ms: int = 10_000) -> Said:
    said = await world.hosts.ask(world.cluster, world.host, argv, limit_ms)
    assert isinstance(said, Said), said
    return said


async def test_who_it_is(world: World) -> None:
    """A machine has an identity that stays, and one of its boot."""
    first = await world.hosts.machine(world.cluster, world.host)
    assert isinstance(first, Machine)
    assert first.machine_id
    assert first.boot_id
    assert await world.others().machine(world.cluster, world.host) == first


async def test_what_a_command_prints(world: World) -> None:
    """Output, errors and status are told apart."""
    assert await ask(world, "echo", "a  b") == Said(0, "a  b\n", "")
    assert (await ask(world, "false")).status == 1
    missing = await ask(world, "cat", "/etc/etcd/nothing")
    assert (missing.status, missing.out) == (1, "")
    assert "No such file or directory" in missing.err


async def test_a_program_that_is_not_there(world: World) -> None:
    """The status is 127, as in a shell."""
    assert (await ask(world, "no-such-program")).status == 127


@pytest.mark.parametrize("word", AWKWARD)
async def test_arguments_arrive_as_they_are(world: World, word: str) -> None:
    """No shell makes anything of them."""
    assert (await ask(world, "printf", "%s\\n", word, "end")).out == f"{word}\nend\n"


async def test_a_question_takes_no_longer_than_its_limit(world: World) -> None:
    """What is not answered in time is a fault of the machine's."""
    fault = await world.hosts.ask(world.cluster, world.host, ["sleep", "30"], 300)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.SILENT
    assert "did not answer `sleep` within 0.3 s" in fault.message


async def test_output_is_cut_off(world: World) -> None:
    """At 1 MiB."""
    world.put("/etc/etcd/large", b"x" * (1024**2 + 1))
    assert len((await ask(world, "cat", "/etc/etcd/large")).out) == 1024**2


async def test_reading_a_file(world: World) -> None:
    """With its mode and whom it belongs to, whatever it holds."""
    world.put("/etc/etcd/read.conf", b"\x00\xff\r\nno newline", 0o640)
    seen = await world.hosts.read(world.cluster, world.host, "/etc/etcd/read.conf")
    assert seen == FileSeen(b"\x00\xff\r\nno newline", 0o640, "root", "root", None)


async def test_reading_an_empty_file(world: World) -> None:
    """It is there."""
    world.put("/etc/etcd/empty.conf", b"")
    seen = await world.hosts.read(world.cluster, world.host, "/etc/etcd/empty.conf")
    assert isinstance(seen, FileSeen)
    assert seen.content == b""


async def test_reading_what_is_not_there(world: World) -> None:
    """Nothing is no fault."""
    assert await world.hosts.read(world.cluster, world.host, "/etc/etcd/nothing") is None
    assert await world.hosts.read(world.cluster, world.host, "/no/such/folder/at-all") is None


async def test_reading_what_is_no_file(world: World) -> None:
    """A folder is not read."""
    fault = await world.hosts.read(world.cluster, world.host, "/etc/etcd")
    assert isinstance(fault, Fault)
    assert "is not a regular file" in fault.message


async def test_reading_too_much(world: World) -> None:
    """Large files are fetched."""
    world.put("/etc/etcd/large", b"x" * (1024**2 + 1))
    fault = await world.hosts.read(world.cluster, world.host, "/etc/etcd/large")
    assert isinstance(fault, Fault)
    assert "more than the 1 MiB" in fault.message


async def test_a_machine_that_is_lost(world: World) -> None:
    """Each question has the fault for an answer, and none raises."""
    await world.lose()
    look: Target = world.others()
    answers = (
        await look.machine(world.cluster, world.host),
        await look.ask(world.cluster, world.host, ["true"]),
        await look.read(world.cluster, world.host, "/etc/etcd/x"),
    )
    for each in answers:
        assert isinstance(each, Fault)
        assert each.kind in {FaultKind.UNREACHABLE, FaultKind.REFUSED}
        assert "machine-1" in each.message
    await world.find()
    assert (await ask(world, "true")).status == 0
