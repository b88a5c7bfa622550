"""What a directory can do wrong, and what is said then."""

import asyncio
import errno
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.targets.backups import folder as folder_module
from bot.targets.backups.folder import Folder
from bot.targets.backups.trailer import Trailer
from procedures.model.errors import Permanent, Retryable
from procedures.model.snapshot import Retention, Snapshot
from tests.contract.backups.values import an_origin, stream
from tests.contract.backups.worlds import LocalWorld, save
from tests.support.waiting import eventually

GIB = 1024**3


def files(local: LocalWorld) -> set[str]:
    return {path.name for path in (local.directory / "prod").glob("*")} - {".lock"}


def record(local: LocalWorld, snapshot: Snapshot) -> Path:
    return local.path(snapshot).with_suffix(".json")


async def test_only_the_worker_can_read_it(local: LocalWorld) -> None:
    """Files are 0600 and their directory is 0700, whatever the umask: they hold all secrets."""
    before = os.umask(0)
    try:
        snapshot = await save(local)
    finally:
        os.umask(before)
    modes = {path: path.stat().st_mode & 0o777 for path in local.directory.rglob("*")}
    assert modes.pop(local.directory / "prod") == 0o700
    assert set(modes) >= {local.path(snapshot), record(local, snapshot)}
    assert set(modes.values()) == {0o600}


async def test_each_name_is_on_the_disk_before_the_next(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data, then the record, then the record's name, then the data's: power may fail between."""
    calls: list[str] = []

    def noted(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def made(*args: object, **kwargs: object) -> object:
            held = Path(f"/proc/self/fd/{args[0]}")
            target = held.readlink() if name == "fsync" else Path(str(args[1]))
            calls.append(f"{name} {target.suffix or 'directory'}")
            return call(*args, **kwargs)

        return made

    await save(local)
    for name in ("fsync", "rename"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    local.clock.ms += 60_000
    await save(local)
    assert calls == [
        "fsync .db",
        "fsync .json",
        "rename .json",
        "fsync directory",
        "rename .db",
        "fsync directory",
    ]


async def test_a_missing_directory_is_not_made_up(local: LocalWorld) -> None:
    """It may be a disk that is not mounted: nothing is written beside it, and it is not empty."""
    snapshot = await save(local)
    local.directory.rename(local.directory.with_name("away"))
    for attempt in (
        save(local),
        local.backups.listing(local.cluster.name),
        local.backups.rotate(local.cluster, Retention()),
        local.backups.verify(snapshot),
    ):
        with pytest.raises(Permanent, match=r"backups is no directory that .* mount"):
            await attempt
    assert not local.directory.exists()


@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
async def test_a_cluster_that_is_no_directory_is_refused(local: LocalWorld, kind: str) -> None:
    """A link could lead anywhere."""
    place, elsewhere = local.directory / "prod", local.directory.with_name("elsewhere")
    if kind == "file":
        place.write_text("")
    else:
        place.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.mkdir(0o700)
    for attempt in (save(local), local.backups.listing(local.cluster.name)):
        with pytest.raises(Permanent, match="no directory that backups can be kept in"):
            await attempt
    assert not elsewhere.exists() or not list(elsewhere.iterdir())


@pytest.mark.parametrize("mode", [0o2770, 0o777, 0o750, 0o700])
async def test_others_may_not_write_where_backups_are(local: LocalWorld, mode: int) -> None:
    """The right to write is taken from them, and no other: a group may have to read."""
    place = local.directory / "prod"
    place.mkdir()
    place.chmod(mode)
    await save(local)
    assert place.stat().st_mode & 0o7777 == mode & ~0o022


async def test_a_directory_of_another_user_is_refused(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner may put something else in place of a backup."""
    await save(local)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(Permanent, match="belongs to another user"):
        await save(local)
    with pytest.raises(Permanent, match="belongs to another user"):
        await local.backups.listing(local.cluster.name)


async def test_links_in_the_directory_are_not_followed(local: LocalWorld, tmp_path: Path) -> None:
    """Neither as data nor as a record, and the lock is no link either."""
    one = await save(local)
    local.clock.ms += 60_000
    two = await save(local)
    for path in (local.path(one), record(local, two)):
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    assert await local.backups.listing(local.cluster.name) == ()
    assert await local.backups.verify(one) == "is not there any more"
    assert "its record is missing" in str(await local.backups.verify(two))
    lock = local.directory / "prod" / ".lock"
    lock.unlink()
    lock.symlink_to(tmp_path / "victim")
    local.clock.ms += 60_000
    with pytest.raises(Permanent, match="link"):
        await save(local)
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "{}", '{"cluster": "prod"}', "x" * 10**6, "\0", "other"]
)
async def test_a_record_that_is_not_its_own_is_not_believed(
    local: LocalWorld, content: str
) -> None:
    """Such a pair is not listed, not rotated, and not deleted."""
    snapshot = await save(local)
    local.clock.ms += 60_000
    other = await save(local)
    if content == "other":
        content = record(local, other).read_text()
    record(local, snapshot).write_text(content)
    assert await local.backups.listing(local.cluster.name) == (other,)
    local.clock.ms += 10**12
    assert await local.backups.rotate(local.cluster, Retention(1, 1)) == ()
    assert local.path(snapshot).exists()
    assert "its record is missing" in str(await local.backups.verify(snapshot))


async def test_space_is_looked_at_before(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the size of the member's data has to be free; the words give the figures."""
    monkeypatch.setattr(Folder, "free", lambda _: 3 * GIB)
    taken = local.samples.three
    origin = an_origin(1, db_size=2 * GIB)
    with pytest.raises(Retryable, match="prod has 3072 MiB free, and 4096 MiB are needed: free"):
        await local.backups.save(local.cluster, origin, stream(taken.data))
    assert files(local) == set()
    await local.backups.save(local.cluster, an_origin(1, db_size=GIB), stream(taken.data))


async def test_without_a_size_the_largest_backup_is_the_measure(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has been saved before tells how much it will be."""
    await save(local)
    sparse = local.directory / "prod" / "prod-20200101T000000Z-7-0123456789ab.db"
    with sparse.open("wb") as file:
        file.truncate(5 * GIB)
    monkeypatch.setattr(Folder, "free", lambda _: 9 * GIB)
    local.clock.ms += 60_000
    with pytest.raises(Retryable, match="10240 MiB are needed"):
        await save(local)


async def test_the_disk_is_never_filled_to_the_last(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save ends, and its stream, while some space is left: etcd may live on the same disk."""
    figures = iter([GIB, GIB, GIB, 0])
    monkeypatch.setattr(Folder, "free", lambda _: next(figures, 0))
    pulled, ended = 0, False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal pulled, ended
        try:
            while True:
                pulled += 1
                yield bytes(1024**2)
        finally:
            ended = True

    with pytest.raises(Retryable, match="has 0 MiB free"):
        await local.backups.save(local.cluster, an_origin(1), endless())
    assert pulled < 50
    assert ended
    assert files(local) == set()


FAULTS: dict[int, tuple[type[Exception], str]] = {
    errno.ENOSPC: (Retryable, "is full: free some space"),
    errno.EDQUOT: (Retryable, "is full: free some space"),
    errno.EACCES: (Permanent, "writable, with mode 700"),
    errno.EROFS: (Permanent, "read-only file system"),
    errno.EIO: (Permanent, "look at its state"),
    errno.ESTALE: (Retryable, "stale file handle. Try again"),
    errno.EMFILE: (Retryable, "too many open files. Try again"),
}


@pytest.mark.parametrize("number", FAULTS)
@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename", "fstatvfs"])
async def test_faults_of_the_disk(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """Whichever call fails, the words say what to do, and nothing of the snapshot stays."""
    error, said = FAULTS[number]
    before = await save(local)
    kept = files(local)
    local.clock.ms += 60_000
    real = getattr(os, call)

    def fails(*args: object, **kwargs: object) -> object:
        if call != "open" or (isinstance(args[1], int) and args[1] & os.O_EXCL):
            raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        with pytest.raises(error, match=said):
            await save(local)
    assert files(local) == kept
    assert await local.backups.listing(local.cluster.name) == (before,)


async def test_a_name_that_cannot_be_given_leaves_no_half_pair(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record has its name already when the data's fails: both go."""
    rename = Folder.rename

    def fails(self: Folder, old: str, new: str) -> None:
        rename(self, old, new)
        if new.endswith(".db"):
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Folder, "rename", fails)
    with pytest.raises(Permanent, match="look at its state"):
        await save(local)
    assert files(local) == set()


async def test_a_directory_that_is_held_for_ever(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the lock is not waited for without an end."""
    monkeypatch.setattr(folder_module, "_LOCK_WAIT_S", 0.2)
    await save(local)
    kept = files(local)
    local.clock.ms += 60_000
    with (local.directory / "prod" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Retryable, match="Another process keeps"):
            await save(local)
        with pytest.raises(Retryable, match="Another process keeps"):
            await local.backups.rotate(local.cluster, Retention())
    assert files(local) == kept


async def test_an_asker_that_is_gone_does_not_keep_the_disk_busy(
    local: LocalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verification of much data ends soon after it is cancelled."""
    snapshot = await save(local)
    with local.path(snapshot).open("r+b") as file:
        file.truncate(1024 * GIB)  # sparse: minutes to read
    begun = threading.Event()
    monkeypatch.setattr(Trailer, "update", lambda *_: begun.set())
    task = asyncio.create_task(local.backups.verify(snapshot))
    await eventually(begun.is_set, 10, "it reads")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 10)


async def test_no_descriptor_is_left_open(local: LocalWorld) -> None:
    """Neither after what went well nor after what failed."""
    snapshot = await save(local)

    async def use() -> None:
        local.clock.ms += 60_000
        await save(local)
        await local.backups.verify(snapshot)
        await local.backups.listing(local.cluster.name)
        await local.backups.rotate(local.cluster, Retention())
        with pytest.raises(Permanent):
            await local.backups.save(local.cluster, an_origin(1), stream(b"x"))

    def held() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    await use()
    before = held()
    for _ in range(3):
        await use()
    assert held() == before
