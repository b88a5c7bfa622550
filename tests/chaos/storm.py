"""Front, worker and Redis are killed and frozen at random while members are removed.

As a command, for a long time: `python -m tests.chaos.storm --kills 300`.
"""

import argparse
import asyncio
import contextlib
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.binaries import find
from procedures.model.events import Decided, Done, Entry, Started
from procedures.model.run import State, fold
from tests.chaos.witness import Witness
from tests.support.run_messages import click, messages_of_runs
from tests.support.running import mend, running_sandbox
from tests.support.sandbox import Sandbox
from tests.support.waiting import eventually

PARTS = ("front", "worker", "redis")
LONGER_THAN_A_LEASE_S = 7.0
_FREEZE_SHARE = 0.12
_PATIENCE_S = 150.0


@dataclass(slots=True)
class Tally:
    """What happened. Everything in `broken` is a defect."""

    kills: int = 0
    freezes: int = 0
    removals: int = 0
    backups: int = 0
    witnessed: int = 0
    recoveries: int = 0
    states: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for people."""
        return (
            f"{self.kills} kills, {self.freezes} freezes, {self.removals} removals and "
            f"{self.backups} backups ({dict(self.states)}), {self.recoveries} steps begun again, "
            f"{self.witnessed} witnessed writes; broken: {self.broken or 'nothing'}"
        )


@dataclass(slots=True)
class Storm:
    """Disturbs a sandbox until it has killed so often, while runs go on."""

    sandbox: Sandbox
    chance: random.Random
    tally: Tally = field(default_factory=Tally)

    async def rounds(self, kills: int) -> None:
        """Remove demo-3 and bring it back, again and again."""
        with await self._witness() as witness:
            while self.tally.kills < kills and not self.tally.broken:
                await self._round()
                lost = await asyncio.to_thread(witness.lost)
                if lost:
                    self.tally.broken.append(
                        f"{len(lost)} acknowledged writes are lost: {lost[:5]}"
                    )
        self.tally.witnessed = len(witness.acknowledged)

    async def _round(self) -> None:
        await self.sandbox.cluster("demo-3", "stop")
        since = await self.sandbox.moment()
        runs = await self.sandbox.store().runs()
        async with self._disturbed():
            await self._ask("backup")
            await self._ask("member remove demo-3")
            await self._decide(since)
        await eventually(self.sandbox.is_ready, 60, "front and worker are ready")
        await eventually(self.sandbox.store().idle, _PATIENCE_S, "no run is open")
        for name in await self.sandbox.store().runs() - runs:
            await self._judge(name)
        if await _members(self.sandbox) != {"demo-1", "demo-2"}:
            self.tally.broken.append(f"the members are {await _members(self.sandbox)}")
            return
        await _bring_back(self.sandbox)
        await mend(self.sandbox)

    async def _ask(self, text: str) -> None:
        async def accepted() -> bool:
            ack = await self.sandbox.command("alice", "ops", text)
            return ack.acked and not ack.words

        await eventually(accepted, 60, f"{text} is accepted")

    async def _decide(self, since: str) -> None:
        """Bob and carol click whenever there is something to decide, until the removal ends."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            removals = [
                shown
                for shown in await messages_of_runs(self.sandbox, since)
                if "Remove member" in shown.text or "member remove" in shown.text
            ]
            for shown in removals:
                if shown.state == "Waiting for approval":
                    for user in ("bob", "carol", "bob"):
                        with contextlib.suppress(AssertionError):  # nobody acknowledged it
                            await click(self.sandbox, user, shown, "run.approve")
                if shown.state == "In doubt":
                    gone = "demo-3" not in await _members(self.sandbox)
                    action = "run.happened" if gone else "run.not_happened"
                    with contextlib.suppress(AssertionError):
                        await click(self.sandbox, "bob", shown, action)
            if any(shown.state == "Succeeded" for shown in removals):
                return
            if removals and all(State(shown.state).final for shown in removals):
                await self._ask("member remove demo-3")
            await asyncio.sleep(0.3)
        self.tally.broken.append("a removal did not end")

    @contextlib.asynccontextmanager
    async def _disturbed(self) -> AsyncIterator[None]:
        disturbing = asyncio.create_task(self._disturb())
        try:
            yield
        finally:
            disturbing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await disturbing

    async def _disturb(self) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(0.1, 1.6))
            part = self.chance.choice(PARTS)
            with contextlib.suppress(ProcessLookupError, FileNotFoundError, AssertionError):
                if self.chance.random() < _FREEZE_SHARE:
                    self.tally.freezes += 1
                    with self.sandbox.processes.frozen(part):
                        await asyncio.sleep(LONGER_THAN_A_LEASE_S)
                else:
                    self.sandbox.processes.send(part, signal.SIGKILL)
                    self.tally.kills += 1

    async def _judge(self, name: str) -> None:
        """What must hold of each run: an end, no fault, distinct voters, each step done once."""
        journal = await self.sandbox.store().journal(name)
        run = fold(journal.entries)
        if run is None or journal.faults:
            self.tally.broken.append(f"{name}: {journal.faults or 'no request'}")
            return
        if run.request.command not in {"etcd backup", "etcd member remove"}:
            return
        self.tally.states[run.state] += 1
        self.tally.removals += run.request.command == "etcd member remove"
        self.tally.backups += run.request.command == "etcd backup"
        if not run.state.final:
            self.tally.broken.append(f"{name} is {run.state}")
        if run.state is State.IN_DOUBT or (run.state is State.FAILED and run.steps):
            self.tally.broken.append(f"{name} {run.state}: {run.error}")
        self.tally.recoveries += _begun_again(journal.entries)
        for entry in journal.entries:
            if isinstance(entry.event, Decided) and len(set(entry.event.voters)) != 2:
                self.tally.broken.append(f"{name}: decided by {entry.event.voters}")
        done = Counter(e.event.step for e in journal.entries if isinstance(e.event, Done))
        if any(count != 1 for count in done.values()):
            self.tally.broken.append(f"{name}: steps done {dict(done)}")

    async def _witness(self) -> Witness:
        (cluster,) = self.sandbox.config.inventory.clusters.values()
        endpoints = [cluster.endpoints[name] for name in cluster.endpoints if name != "demo-3"]
        return Witness(cluster, endpoints)


def _begun_again(entries: tuple[Entry, ...]) -> int:
    return sum(isinstance(e.event, Started) and e.event.attempt > 1 for e in entries)


async def _members(sandbox: Sandbox) -> set[str]:
    listed = await _etcdctl(sandbox, "member", "list", "--write-out=simple")
    return {line.split(", ")[2] or line.split(", ")[0] for line in listed.splitlines()}


async def _bring_back(sandbox: Sandbox) -> None:
    """Add demo-3 again, empty, at the peer URL that it always had."""
    log = (sandbox.directory / "log" / "etcd-demo-1.log").read_text()
    peer = log.split("demo-3=https://", 1)[1].split(",")[0].split('"')[0].split("\\")[0]
    await sandbox.cluster("demo-3", "wipe")
    await _etcdctl(sandbox, "member", "add", "demo-3", f"--peer-urls=https://{peer}")
    await sandbox.cluster("demo-3", "start")


async def _etcdctl(sandbox: Sandbox, *args: str) -> str:
    (cluster,) = sandbox.config.inventory.clusters.values()
    demo = sandbox.directory / "demo"
    endpoints = ",".join(cluster.endpoints[n] for n in cluster.endpoints if n != "demo-3")
    process = await asyncio.create_subprocess_exec(
        find("etcdctl")["etcdctl"],
        f"--endpoints={endpoints}",
        f"--cacert={demo / 'ca.crt'}",
        f"--cert={demo / 'client.crt'}",
        f"--key={demo / 'client.key'}",
        *args,
        env={"ETCDCTL_API": "3"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def weather(directory: Path, kills: int, seed: int) -> Tally:
    """A sandbox of its own in a storm; then the audit chain is verified."""
    async with running_sandbox(directory) as sandbox:
        storm = Storm(sandbox, random.Random(seed))  # noqa: S311 (no secret)
        await storm.rounds(kills)
        process = await asyncio.create_subprocess_exec(
            ".venv/bin/quorumbot", "audit", "verify", "--config", str(sandbox.config_path),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        if process.returncode != 0:
            storm.tally.broken.append(f"audit: {output.decode()}")
        return storm.tally


def main() -> None:
    """Let it storm, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        tally = asyncio.run(weather(Path(directory), options.kills, options.seed))
    print(f"seed {options.seed}: {tally}")
    raise SystemExit(1 if tally.broken else 0)


if __name__ == "__main__":
    main()
