"""Which tool reads a snapshot, and what is made of its answer.

The tools are scripts of the test's own where what is asked is which of them is taken, and where one
has to fail. What the real ones make of real snapshots is in `test_releases`.
"""

import asyncio
import json
import time
from functools import partial
from pathlib import Path

import pytest

from bot.targets.backups.tools import Reading, Tools, minor_of
from procedures.model.errors import Permanent, Retryable
from tests.support.releases import Release
from tests.support.waiting import alive, eventually

STATUS = {"hash": 3_274_467_728, "revision": 6, "totalKey": 9, "totalSize": 20_480}


def stand_in(directory: Path, name: str, version: str, *, then: str = "") -> Path:
    """Make a script that says its version; asked for anything else, it does `then`."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    answer = then or f"echo '{json.dumps(STATUS)}'"
    path.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = version ]; then echo "{name} version: {version}"; '
        f'echo "API version: {version[:3]}"; exit; fi\n'
        f"{answer}\n"
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def path_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with one directory of the test's own, beside what a shell needs."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")
    return directory


@pytest.mark.parametrize(
    ("minor", "there", "chosen"),
    [
        ("3.3", ["etcdctl"], "etcdctl"),
        ("3.4", ["etcdutl", "etcdctl"], "etcdctl"),
        ("3.5", ["etcdutl", "etcdctl"], "etcdutl"),
        ("3.5", ["etcdctl"], "etcdctl"),
        ("3.6", ["etcdutl", "etcdctl"], "etcdutl"),
        ("3.10", ["etcdutl", "etcdctl"], "etcdutl"),
    ],
)
async def test_the_server_decides_which_tool(
    path_only: Path, minor: str, there: list[str], chosen: str
) -> None:
    """etcdutl from 3.5, etcdctl before 3.6."""
    for name in there:
        stand_in(path_only, name, f"{minor}.2")
    tool = await Tools({}).find(minor)
    assert (Path(tool.path), tool.name) == (path_only / chosen, chosen)
    assert await Tools({}).read(tool, "x", 0) == Reading("c32c6990", 6, 9, 20_480)


async def test_several_minors_side_by_side(
    path_only: Path, tmp_path: Path, etcd_34: Release, etcd_35: Release
) -> None:
    """Each minor has its place, a program or a directory; the PATH is for what has none."""
    (path_only / "etcdctl").symlink_to(etcd_34.etcdctl)
    six = stand_in(tmp_path / "six", "etcdutl", "3.6.11")
    tools = Tools({"3.5": etcd_35.reader, "3.6": str(six.parent)})
    found = [(await tools.find(minor)).path for minor in ("3.4", "3.5", "3.6")]
    assert found == [str(path_only / "etcdctl"), etcd_35.reader, str(six)]
    assert [await tools.fault(minor) for minor in ("3.4", "3.5", "3.6")] == [None] * 3


async def test_a_newer_tool_beside_the_right_one_is_passed_over(
    path_only: Path, etcd_35: Release
) -> None:
    """For 3.5 either will do, so an etcdutl of another minor does not stand in the way."""
    stand_in(path_only, "etcdutl", "3.6.1")
    right = path_only / "etcdctl"
    right.symlink_to(etcd_35.etcdctl)
    assert (await Tools({}).find("3.5")).path == str(right)


async def test_a_tool_of_another_minor_is_refused(
    path_only: Path, etcd_34: Release, etcd_35: Release
) -> None:
    """The words say what is there, what is needed, and where to say so."""
    (path_only / "etcdctl").symlink_to(etcd_35.etcdctl)
    fault = await Tools({}).fault("3.4")
    assert fault is not None
    assert "have to be read by etcdctl 3.4:" in fault
    assert f"{path_only}/etcdctl is etcdctl 3.5." in fault
    assert '`backups.tools: {"3.4": PATH}`' in fault
    with pytest.raises(Permanent, match=r"is etcdctl 3\.5"):
        await Tools({}).find("3.4")
    with pytest.raises(Permanent, match=r"is etcdctl 3\.4"):
        await Tools({"3.5": etcd_34.etcdctl}).find("3.5")


async def test_etcdctl_without_snapshots_is_refused_before_it_is_needed(tmp_path: Path) -> None:
    """etcdctl 3.6 has the right version and no `snapshot status`."""
    place = stand_in(tmp_path, "etcdctl", "3.6.1")
    fault = await Tools({"3.6": str(place)}).fault("3.6")
    assert fault is not None
    assert "have to be read by etcdutl 3.6" in fault


@pytest.mark.parametrize("place", [None, "", "none", "etcdctl"])
async def test_a_missing_tool_is_missed(path_only: Path, tmp_path: Path, place: str | None) -> None:
    """Nothing on the PATH, an empty directory, no such path, a file that cannot be executed."""
    (tmp_path / "etcdctl").write_text("#!/bin/sh\n")
    places = {} if place is None else {"3.4": str(tmp_path / place)}
    if place == "":
        places = {"3.4": str(path_only)}
    fault = await Tools(places).fault("3.4")
    assert fault is not None
    assert "there is none" in fault


@pytest.mark.parametrize("then", ["exit 1", "echo no version", "printf '\\377\\0'", "kill -9 $$"])
async def test_what_is_no_tool_is_refused(tmp_path: Path, then: str) -> None:
    """A program that does not say that it is one."""
    path = tmp_path / "etcdctl"
    path.write_text(f"#!/bin/sh\n{then}\n")
    path.chmod(0o755)
    fault = await Tools({"3.4": str(path)}).fault("3.4")
    assert fault is not None
    assert "does not say what it is" in fault


@pytest.mark.parametrize(
    ("then", "error", "said"),
    [
        ("echo 'Error: invalid database.' >&2; exit 1", Permanent, "snapshot: invalid database"),
        ("exit 3", Permanent, "it gave no reason"),
        ("echo no json", Permanent, "gave no status of the snapshot: no json"),
        ('echo \'{"hash":1,"revision":-1,"totalKey":1,"totalSize":1}\'', Permanent, "no status"),
        ("echo '{\"hash\":1}'", Permanent, "no status"),
        ("kill -9 $$", Retryable, "ended by signal 9"),
    ],
)
async def test_what_the_tool_says_is_passed_on(
    tmp_path: Path, then: str, error: type[Exception], said: str
) -> None:
    """Its own words, in one line."""
    path = stand_in(tmp_path, "etcdctl", "3.4.1", then=then)
    tools = Tools({"3.4": str(path)})
    with pytest.raises(error, match=said):
        await tools.read(await tools.find("3.4"), "x", 1)


async def test_nothing_of_our_environment_reaches_the_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ETCDCTL_* would change what it does, and tokens are none of its business."""
    for name in ("ETCDCTL_ENDPOINTS", "ETCDCTL_WRITE_OUT", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "x")
    seen = tmp_path / "seen"
    path = stand_in(tmp_path, "etcdctl", "3.4.1", then=f'env > {seen}; echo "$@" >> {seen}')
    tools = Tools({"3.4": str(path)})
    with pytest.raises(Permanent):
        await tools.read(await tools.find("3.4"), "/a b;c", 1)
    text = seen.read_text()
    *variables, arguments = text.splitlines()
    names = {line.partition("=")[0] for line in variables}
    assert names - {"PWD", "SHLVL", "OLDPWD", "_"} == {"PATH", "ETCDCTL_API"}
    assert "ETCDCTL_API=3" in variables
    assert arguments == "snapshot status /a b;c --write-out=json"


async def test_a_tool_that_hangs_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time, and at once when the asker is gone."""
    monkeypatch.setattr("bot.targets.backups.tools._STATUS_S", 0.3)
    pids = tmp_path / "pids"
    path = stand_in(tmp_path, "etcdctl", "3.4.1", then=f"sleep 60 & echo $! $$ >> {pids}; sleep 60")
    tools = Tools({"3.4": str(path)})
    tool = await tools.find("3.4")
    began = time.monotonic()
    with pytest.raises(Retryable, match="did not read the snapshot within"):
        await tools.read(tool, "x", 0)
    assert time.monotonic() - began < 10
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await tools.read(tool, "x", 10**9)
    for pid in map(int, pids.read_text().split()):
        await eventually(partial(_ended, pid), 5, f"process {pid} has ended")


def _ended(pid: int) -> bool:
    return not alive(pid)


@pytest.mark.parametrize(
    ("version", "minor"),
    [("3.4.23", "3.4"), ("3.5.0-rc.1", "3.5"), ("3.6", "3.6"), ("3.10.1+git", "3.10")],
)
def test_the_minor_of_a_version(version: str, minor: str) -> None:
    """Major and minor, whatever follows."""
    assert minor_of(version) == minor


@pytest.mark.parametrize("version", ["", "3", "v3.4", "3.4 .1", "3.4.1\n", "not_decided", "3.4x"])
def test_what_is_no_version(version: str) -> None:
    """It is refused with words."""
    with pytest.raises(Permanent, match="no version of etcd"):
        minor_of(version)
