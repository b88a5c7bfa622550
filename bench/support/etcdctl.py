"""What a person with a script would run to learn how a cluster is: etcdctl and curl, in turn."""

import asyncio
import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.binaries import find
from bot.sandbox.processes import environment

COMMANDS = ("member list", "endpoint status", "endpoint health", "alarm list", "endpoint hashkv")
SCRAPE = "curl /metrics"


@dataclass(frozen=True, slots=True)
class Timed:
    """A command that was run: how long it took, and whether it succeeded."""

    seconds: float
    succeeded: bool
    output: bytes


class Etcdctl:
    """etcdctl and curl against the cluster whose files are in `directory`."""

    def __init__(self, directory: Path, deadline_ms: int) -> None:
        self._etcdctl = find("etcdctl")["etcdctl"]
        self._curl = shutil.which("curl") or sys.exit("curl is needed and not in PATH")
        self._directory = directory
        self._deadline = f"{deadline_ms / 1_000:g}"
        self.endpoints = (directory / "endpoints").read_text().strip().split(",")

    async def all(self) -> dict[str, Timed]:
        """Run everything, one after the other; scrapes count as one."""
        timed = {command: await self.run(command) for command in COMMANDS}
        scrapes = [await self._scrape(endpoint) for endpoint in self.endpoints]
        timed[SCRAPE] = Timed(
            sum(scrape.seconds for scrape in scrapes),
            all(scrape.succeeded for scrape in scrapes),
            b"",
        )
        return timed

    async def run(self, command: str) -> Timed:
        """Run one etcdctl command with all endpoints."""
        return await _run(
            self._etcdctl,
            f"--endpoints={','.join(self.endpoints)}",
            f"--cacert={self._directory / 'ca.crt'}",
            f"--cert={self._directory / 'client.crt'}",
            f"--key={self._directory / 'client.key'}",
            f"--command-timeout={self._deadline}s",
            "--write-out=json",
            *command.split(),
        )

    async def a_follower(self) -> int:
        """The place, among the endpoints, of a member that does not lead."""
        statuses = json.loads((await self.run("endpoint status")).output)
        followers = {
            entry["Endpoint"]
            for entry in statuses
            if entry["Status"]["leader"] != entry["Status"]["header"]["member_id"]
        }
        return next(n for n, endpoint in enumerate(self.endpoints) if endpoint in followers)

    async def _scrape(self, endpoint: str) -> Timed:
        return await _run(
            self._curl,
            *("--silent", "--fail", "--max-time", self._deadline),
            *("--cacert", str(self._directory / "ca.crt")),
            *("--cert", str(self._directory / "client.crt")),
            *("--key", str(self._directory / "client.key")),
            f"{endpoint}/metrics",
        )


async def _run(*argv: str) -> Timed:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment() | {"ETCDCTL_API": "3"},
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return Timed(time.perf_counter() - began, process.returncode == 0, output)
