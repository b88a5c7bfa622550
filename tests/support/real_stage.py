"""Plans carried out on real clusters and hosts, without Slack and without a store."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.clock import WallClock
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.hosts import SshHosts
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.engine.execute import execute
from procedures.etcd.observe import observe
from procedures.model.events import Entry, Event
from procedures.model.host import Mark
from procedures.model.ids import RunId
from procedures.model.inventory import Cluster, Inventory
from procedures.model.plan import Plan
from procedures.model.quorum import Health
from procedures.model.run import Run, fold
from procedures.model.snapshot import Retention
from tests.support.expecting import FakeMembership, FakeRecords
from tests.support.plans import a_change, approved
from tests.support.transcripts import Heard
from tests.support.waiting import eventually


class RealStage:
    """Implements `procedures.engine.ports.World` over one cluster; close it in the end.

    Who is expected is recorded in memory.
    `tools` says where etcd's tools are, by minor version.
    """

    def __init__(self, cluster: Cluster, tools: dict[str, str], directory: Path) -> None:
        self.inventory = Inventory({cluster.name: cluster}, retention={cluster.site: Retention()})
        self.cluster = cluster
        self.clock = WallClock()
        self.etcd = EtcdReader()
        self.act = EtcdActor()
        self.backups = LocalBackups(directory, Tools(tools), self.clock)
        self.hosts = SshHosts()
        self.expected = FakeMembership(FakeRecords(), self)
        self._runs = 0

    @property
    def on_hosts(self) -> SshHosts:
        """One adapter looks and acts."""
        return self.hosts

    async def close(self) -> None:
        for each in (self.etcd, self.act, self.hosts):
            await each.close()

    async def down(self, name: str) -> None:
        """Wait until a member is known to be down: its peers take up to a minute to give it up."""

        async def known() -> bool:
            view = await observe(self.cluster, self)
            return any(each.name == name and each.health is Health.DOWN for each in view.seen)

        await eventually(known, 90, f"{name} is down")

    async def planned(self, procedure: str, **args: str | bool) -> Plan:
        """Plan, as a worker does when somebody asks. Raises what planning raises."""
        name = self.cluster.name
        request = replace(
            a_change(), command=procedure, args={"cluster": name, **args}, cluster=name
        )
        return await draft(PROCEDURES[procedure], request, self)

    async def carried_out(self, procedure: str, **args: str | bool) -> "Journal":
        """Plan, let it be approved, and do it, to wherever that ends."""
        plan = await self.planned(procedure, **args)
        journal = await self.begun(procedure, plan, **args)
        await execute(plan, journal, self)
        return journal

    async def begun(self, procedure: str, plan: Plan, **args: str | bool) -> "Journal":
        """A run of a plan that was approved."""
        self._runs += 1
        journal = Journal(self.clock, RunId(f"r-{self._runs:08d}"))
        name = self.cluster.name
        request = replace(
            a_change(), command=procedure, args={"cluster": name, **args}, cluster=name
        )
        await journal.write(request, *approved(plan))
        return journal


@dataclass(slots=True)
class Journal:
    """Implements `procedures.engine.pen.Pen`, for the one worker there is."""

    clock: WallClock
    id: RunId
    entries: list[Entry] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        run = fold(self.entries)
        assert run is not None
        return run

    async def write(self, *events: Event) -> None:
        for event in events:
            number = len(self.entries)
            self.entries.append(Entry(self.id, number, "", self.clock.now_ms(), "w", event))

    def work(self, step: int) -> "StepInJournal":
        return StepInJournal(self, step)


@dataclass(frozen=True, slots=True)
class StepInJournal:
    """Implements `procedures.engine.ports.Work`."""

    journal: Journal
    step: int

    def mark(self, name: str) -> Mark:
        journal = self.journal
        return Mark(journal.id, self.step, journal.run.steps[self.step].attempts, name)

    async def say(self, line: str) -> None:
        self.journal.said.append(line)

    def transcript(self, host: str, mark: Mark) -> Heard:
        return self.journal.heard.setdefault((host, mark.key), Heard(self.journal.said))

    async def guard(self) -> None:
        pass

    async def pause(self, duration_ms: int) -> None:
        await self.journal.clock.sleep_ms(duration_ms)

    async def cancelling(self) -> None:
        await asyncio.Event().wait()

    async def rest(self, duration_ms: int) -> None:
        await self.journal.clock.sleep_ms(duration_ms)
