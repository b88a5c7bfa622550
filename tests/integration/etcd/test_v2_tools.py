"""What etcd's own tools do with a v2 store: what `/etcd backup v2` and `restore v2` rest on."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox.ports import free_ports
from bot.sandbox.processes import Child, environment
from procedures.model.restoring import Tool
from procedures.model.v2 import FORCED_PEER_URL, WITH_V3, backup_argv, copy_argv, root_names
from tests.support.releases import Release, etcd_34, etcd_35
from tests.support.waiting import eventually

__all__ = ["etcd_34", "etcd_35"]


@pytest.fixture(params=["etcd_34", "etcd_35"])
def release(request: pytest.FixtureRequest) -> Release:
    """Both minors that still know v2 and are at hand."""
    found: Release = request.getfixturevalue(request.param)
    return found


async def run(*argv: str, api: str = "3") -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=environment() | {"ETCDCTL_API": api},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


class Member:
    """One etcd on loopback, and its tool."""

    def __init__(self, release: Release, data: Path, *flags: str) -> None:
        self.release, self.data, self.flags = release, data, flags
        self.client, self.peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))

    async def v2(self, *words: str) -> tuple[int, str]:
        return await run(
            self.release.etcdctl, "--no-sync", f"--endpoints={self.client}", *words, api="2"
        )

    async def v3(self, *words: str) -> dict[str, object]:
        status, said = await run(
            self.release.etcdctl, f"--endpoints={self.client}", "--write-out=json", *words
        )
        assert status == 0, said
        found: dict[str, object] = json.loads(said.splitlines()[-1])
        return found

    @asynccontextmanager
    async def running(self, **settings: str) -> AsyncIterator[None]:
        child = Child.start(
            "v2",
            [
                self.release.etcd,
                "--name=one",
                f"--data-dir={self.data}",
                f"--listen-client-urls={self.client}",
                f"--advertise-client-urls={self.client}",
                f"--listen-peer-urls={self.peer}",
                f"--initial-advertise-peer-urls={self.peer}",
                f"--initial-cluster=one={self.peer}",
                *self.flags,
                *settings.values(),
            ],
            log=self.data.with_suffix(".log"),
        )
        try:

            async def answers() -> bool:
                command = (self.release.etcdctl, f"--endpoints={self.client}", "get", "x")
                return (await run(*command))[0] == 0

            await eventually(answers, 30, "the member answers")
            yield
        finally:
            await child.kill()


async def test_both_stores_are_copied_and_restored(release: Release, tmp_path: Path) -> None:
    """Copied, copied again, and forced, all is there. Ids are new up to 3.4."""
    tool = Tool(release.reader, release.minor, bumps=False)
    _, told = await run(*backup_argv(tool, "--help"))
    assert WITH_V3 in told
    member = Member(release, tmp_path / "data", "--enable-v2", "--snapshot-count=20")
    async with member.running():
        for number in range(30):
            assert (await member.v2("set", f"/net/k{number}", "x"))[0] == 0
            await member.v3("put", f"k{number}", "x")
        status, said = await member.v2("ls", "/")
        assert (status, root_names(said)) == (0, ("/net",))
        before = await member.v3("member", "list")
    for source, target in (("data", "copy"), ("copy", "again")):
        argv = copy_argv(tool, str(tmp_path / source), str(tmp_path / target))
        status, said = await run(*argv)
        assert status == 0, said
        assert (await run(*argv))[0] != 0  # something is there
    (tmp_path / "again").chmod(0o700)
    found = Member(release, tmp_path / "again", "--enable-v2")
    async with found.running(force="--force-new-cluster"):
        pass
    async with found.running():
        after = await found.v3("member", "list")
        assert [each["peerURLs"] for each in after["members"]] == [[FORCED_PEER_URL]]  # type: ignore[attr-defined]
        for key in ("cluster_id", "member_id"):
            new = after["header"][key] != before["header"][key]  # type: ignore[index]
            assert new is (release.minor == "3.4")  # so it is not done with 3.5 (X11)
        assert len((await found.v2("ls", "--recursive", "/"))[1].split()) == 31
        assert (await found.v3("get", "k", "--prefix"))["count"] == 30


async def test_a_server_without_v2_says_so(release: Release, tmp_path: Path) -> None:
    """It is the default of both; the status is not that of an empty store."""
    member = Member(release, tmp_path / "data")
    async with member.running():
        status, said = await member.v2("ls", "/")
        assert status not in {0, 1}
        assert "Error" in said
    served = Member(release, tmp_path / "other", "--enable-v2")
    async with served.running():
        assert await served.v2("ls", "/") == (0, "")
