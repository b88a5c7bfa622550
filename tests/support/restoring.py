"""Restoring a snapshot with etcd's own tools, and starting etcd on what comes out."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.sandbox.ports import free_ports
from bot.sandbox.processes import Child, environment
from tests.support.releases import Release
from tests.support.waiting import eventually


async def run(*argv: str) -> tuple[int, str]:
    """Run a tool; gives its exit status and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=environment() | {"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


@asynccontextmanager
async def restored(
    release: Release, snapshot: Path, scratch: Path
) -> AsyncIterator[tuple[int, int]]:
    """Restore into a scratch directory and start on loopback: count of keys, and revision."""
    client, peer = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    membership = [f"--initial-cluster=one={peer}", f"--initial-advertise-peer-urls={peer}"]
    code, said = await run(
        release.reader, "snapshot", "restore", str(snapshot), f"--data-dir={scratch}",
        "--name=one", *membership,
    )  # fmt: skip
    assert code == 0, said
    member = Child.start(
        "restored",
        [
            release.etcd,
            "--name=one",
            f"--data-dir={scratch}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            *membership,
        ],
        log=scratch.with_suffix(".log"),
    )
    question = ("get", "", "--prefix", "--keys-only", "--write-out=json")
    ask = (release.etcdctl, f"--endpoints={client}", *question)
    try:

        async def answers() -> bool:
            return (await run(*ask))[0] == 0

        await eventually(answers, 30, "the restored member answers")
        answer = json.loads((await run(*ask))[1])
        yield answer.get("count", 0), answer["header"]["revision"]
    finally:
        await member.kill()
