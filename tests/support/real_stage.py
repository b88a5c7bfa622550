"""Plans carried out on a real cluster, without Slack and without a store."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.clock import WallClock
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.engine.execute import execute
from procedures.model.events import Entry, Event
from procedures.model.inventory import Cluster, Inventory
from procedures.model.run import Run, fold
from procedures.model.snapshot import Retention
from tests.support.plans import RUN, a_change, approved


class RealStage:
    """Implements `procedures.engine.ports.World` over one cluster; close it in the end."""

    def __init__(self, cluster: Cluster, etcdctl: str, directory: Path) -> None:
        self.inventory = Inventory({cluster.name: cluster}, retention={cluster.site: Retention()})
        self.cluster = cluster
        self.clock = WallClock()
        self.etcd = EtcdReader()
        self.act = EtcdActor()
        self.backups = LocalBackups(directory, Tools({"3.4": etcdctl}), self.clock)

    async def close(self) -> None:
        await self.etcd.close()
        await self.act.close()

    async def carried_out(self, procedure: str, **args: str | bool) -> "Journal":
        """Plan, let it be approved, and do it."""
        name = self.cluster.name
        request = replace(
            a_change(), command=procedure, args={"cluster": name, **args}, cluster=name
        )
        plan = await draft(PROCEDURES[procedure], request, self)
        journal = Journal(self.clock)
        await journal.write(request, *approved(plan))
        await execute(plan, journal, self)
        return journal


@dataclass(slots=True)
class Journal:
    """Implements `procedures.engine.execute.Pen` and `Work`, for the one worker there is."""

    clock: WallClock
    entries: list[Entry] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def run(self) -> Run:
        run = fold(self.entries)
        assert run is not None
        return run

    async def write(self, *events: Event) -> None:
        for event in events:
            number = len(self.entries)
            self.entries.append(Entry(RUN, number, "", self.clock.now_ms(), "w", event))

    def work(self, _step: int) -> "Journal":
        return self

    async def say(self, line: str) -> None:
        self.said.append(line)

    async def guard(self) -> None:
        pass

    async def pause(self, duration_ms: int) -> None:
        await self.clock.sleep_ms(duration_ms)

    async def rest(self, duration_ms: int) -> None:
        await self.clock.sleep_ms(duration_ms)
