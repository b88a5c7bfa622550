"""Files of machines: replaced at once, never what somebody else changed, never elsewhere."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from procedures.model.errors import Permanent
from tests.contract.hosts.worlds import Piece, World, chunks


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def path(world: World) -> str:
    """A place that may be written, and is free."""
    return f"/etc/etcd/{world.run}/etcd.conf"


@pytest.fixture(autouse=True)
def folder(world: World, path: str) -> str:
    """The folder that it belongs into, with a file that is somebody else's."""
    above = path.rpartition("/")[0]
    world.put(f"{above}/other", b"")
    return above


async def write(world: World, path: str, content: bytes, was: bytes | None) -> None:
    """Write a file in the place of what was there."""
    await world.hosts.write(
        world.cluster, world.host, path, content, was=None if was is None else sha256(was)
    )


async def test_a_new_file(world: World, path: str) -> None:
    """It is nobody else's to read, unless it is said."""
    await write(world, path, b"new\n", None)
    assert (world.content(path), world.mode(path)) == (b"new\n", 0o600)
    other = f"{path}.d"
    await world.hosts.write(world.cluster, world.host, other, b"", was=None, mode=0o644)
    assert (world.content(other), world.mode(other)) == (b"", 0o644)


async def test_replacing(world: World, path: str, folder: str) -> None:
    """What is replaced keeps its mode, and stays beside it, hidden."""
    world.put(path, b"old", 0o640)
    await write(world, path, b"new", b"old")
    former = f".etcd.conf.quorumbot-{sha256(b'old')[:12]}"
    assert (world.content(path), world.mode(path)) == (b"new", 0o640)
    assert world.names(folder) == sorted([former, "etcd.conf", "other"])
    assert (world.content(f"{folder}/{former}"), world.mode(f"{folder}/{former}")) == (
        b"old",
        0o640,
    )


async def test_a_late_duplicate_is_harmless(world: World, path: str) -> None:
    """It finds what it would write."""
    world.put(path, b"old")
    for _ in range(2):
        await write(world, path, b"new", b"old")
    assert world.content(path) == b"new"


async def test_there_and_back(world: World, path: str) -> None:
    """What was kept of the first does not stand in the way of the second."""
    world.put(path, b"one")
    await write(world, path, b"two", b"one")
    await write(world, path, b"one", b"two")
    await write(world, path, b"two", b"one")
    assert world.content(path) == b"two"


@pytest.mark.parametrize(("there", "was"), [(b"theirs", b"old"), (None, b"old"), (b"theirs", None)])
async def test_what_somebody_changed_is_left(
    world: World, path: str, there: bytes | None, was: bytes | None
) -> None:
    """Nothing is written, and it is said what is there."""
    if there is not None:
        world.put(path, there)
    with pytest.raises(Permanent, match="Somebody changed it"):
        await write(world, path, b"new", was)
    assert world.content(path) == there


@pytest.mark.parametrize(
    "elsewhere",
    [
        "/etc/passwd-quorumbot",
        "/etc/etcd/../passwd-quorumbot",
        "/etc/etcd/./x",
        "/etc/etcd//x",
        "/etc/etcdx/x",
        "etc/etcd/x",
        "/etc/etcd/a\nb",
    ],
)
async def test_other_places_are_not_written(world: World, elsewhere: str) -> None:
    """Only those that the platform's etcd needs, spelt plainly."""
    with pytest.raises(Permanent, match="not among the files"):
        await write(world, elsewhere, b"x", None)
    with pytest.raises(Permanent, match="not among the files"):
        await world.hosts.send(world.cluster, world.host, elsewhere, chunks(b"x"))
    assert world.content("/etc/passwd-quorumbot") is None


async def test_links_lead_nowhere(world: World, folder: str) -> None:
    """Neither a folder that is a link, nor a file that is one, is followed."""
    world.put(f"/etc/elsewhere-{world.run}/theirs", b"theirs")
    world.link(f"{folder}/link", f"/etc/elsewhere-{world.run}")
    world.link(f"{folder}/file", f"/etc/elsewhere-{world.run}/theirs")
    with pytest.raises(Permanent, match="a symbolic link leads to /etc/elsewhere"):
        await write(world, f"{folder}/link/theirs", b"ours", b"theirs")
    with pytest.raises(Permanent, match="a symbolic link leads to /etc/elsewhere"):
        await world.hosts.send(world.cluster, world.host, f"{folder}/link/new", chunks(b"ours"))
    with pytest.raises(Permanent, match="no regular file"):
        await write(world, f"{folder}/file", b"ours", b"theirs")
    assert world.names(f"/etc/elsewhere-{world.run}") == ["theirs"]
    assert world.content(f"/etc/elsewhere-{world.run}/theirs") == b"theirs"


async def test_what_is_no_file_is_not_replaced(world: World, folder: str) -> None:
    """A folder stays."""
    world.put(f"{folder}/sub/x", b"")
    with pytest.raises(Permanent, match="no regular file"):
        await write(world, f"{folder}/sub", b"x", None)


async def test_folders_are_not_made_up(world: World, folder: str) -> None:
    """Where there is none, something is wrong."""
    with pytest.raises(Permanent, match="its folder is not there"):
        await write(world, f"{folder}/no/x", b"x", None)


async def test_names_are_only_names(world: World, folder: str) -> None:
    """Whatever a shell would make of them."""
    for name in ("two words", "a'b\"c", "$(id)", "-rf", "*"):
        await write(world, f"{folder}/{name}", b"one", None)
        await write(world, f"{folder}/{name}", b"two", b"one")
        assert world.content(f"{folder}/{name}") == b"two"


async def test_sending_and_fetching(world: World, path: str) -> None:
    """What is sent in chunks of any size is what is fetched."""
    parts = [b"", b"x" * 5_000_000, b"\x00\n", bytes(range(256)) * 4096]
    data = b"".join(parts)
    sent = await world.hosts.send(world.cluster, world.host, path, chunks(*parts))
    assert sent == sha256(data)
    assert world.mode(path) == 0o600
    got = [chunk async for chunk in world.hosts.fetch(world.cluster, world.host, path)]
    assert b"".join(got) == data


async def test_what_was_sent_before_is_left(world: World, path: str) -> None:
    """The same is harmless; something else is refused."""
    await world.hosts.send(world.cluster, world.host, path, chunks(b"one"))
    assert await world.hosts.send(world.cluster, world.host, path, chunks(b"o", b"ne")) == sha256(
        b"one"
    )
    with pytest.raises(Permanent, match="another file is there"):
        await world.hosts.send(world.cluster, world.host, path, chunks(b"two"))
    assert world.content(path) == b"one"


async def test_a_source_that_breaks_leaves_nothing(world: World, path: str) -> None:
    """What the source raises comes through, and nothing of it is kept."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise LookupError

    with pytest.raises(LookupError):
        await world.hosts.send(world.cluster, world.host, path, broken())
    await world.hosts.send(world.cluster, world.host, path, chunks(b"whole"))
    assert world.content(path) == b"whole"


async def test_fetching_what_is_not_there(world: World, path: str, folder: str) -> None:
    """Trying again changes nothing."""
    for each in (path, folder):
        with pytest.raises(Permanent, match="There is no file"):
            _ = [chunk async for chunk in world.hosts.fetch(world.cluster, world.host, each)]


async def test_a_folder_as_one_file_and_back(world: World) -> None:
    """What tar packs of a folder, it makes of it elsewhere."""
    for folder in ("from", "to"):
        world.put(f"/etc/etcd/{folder}/.keep", b"")
    world.put("/etc/etcd/from/member/snap/db", b"\0data", 0o600)
    packed = "--file=/etc/etcd/packed"
    make = ("tar", "--create", "--gzip", packed, "--directory=/etc/etcd/from", "member")
    assert await Piece(world).run(*make) == 0
    unmake = ("tar", "--extract", "--gzip", packed, "--directory=/etc/etcd/to")
    assert await Piece(world, "again").run(*unmake) == 0
    assert world.content("/etc/etcd/to/member/snap/db") == b"\0data"
    assert world.mode("/etc/etcd/to/member/snap/db") == 0o600
