"""Plans carried out on real hosts by the engine itself, with a journal in memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.clock import WallClock
from bot.targets.backups.local import LocalBackups
from bot.targets.backups.tools import Tools
from bot.targets.etcd.act import EtcdActor
from bot.targets.etcd.look import EtcdReader
from bot.targets.ssh.hosts import SshHosts
from bot.working import Reach
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.engine.execute import execute
from procedures.model.events import Decided, Entry, Event, Planned, Requested, Requester
from procedures.model.host import Mark
from procedures.model.ids import ChannelId, ClusterName, MemberName, RunId, Site, TeamId, UserId
from procedures.model.inventory import (
    Cluster,
    Host,
    Inventory,
    Platform,
    SshAccess,
    TlsFiles,
)
from procedures.model.plan import Plan
from procedures.model.run import Run, fold
from procedures.model.snapshot import Retention
from tests.testbed import BOT, Testbed
from tests.testbed import Cluster as RealCluster

NAME, SITE = ClusterName("prod"), Site("default")
_REQUESTER = Requester(UserId("U0ALICE"), TeamId("T0"), "alice")


def inventory(bed: Testbed, cluster: RealCluster, platform: Platform) -> Inventory:
    """The configuration of a cluster on a testbed; hosts without a member are spares."""
    ssh = SshAccess(
        user=BOT,
        key=str(bed.access.key),
        known_hosts=str(bed.access.known_hosts),
        sudo=True,
    )
    names = {host.name: cluster.name(host) for host in cluster.members}
    files = cluster.files
    made = Cluster(
        name=NAME,
        platform=platform,
        site=SITE,
        endpoints={MemberName(name): url for name, url in cluster.endpoints.items()},
        tls=TlsFiles(str(files.ca), str(files.cert), str(files.key)),
        hosts=tuple(
            Host(names.get(host.name, host.name), host.address) for host in bed.hosts.values()
        ),
        ssh=ssh,
    )
    return Inventory({NAME: made}, retention={SITE: Retention()})


@dataclass
class Stage:
    """A world of real parts, and what was said in it."""

    world: Reach
    said: list[str] = field(default_factory=list)
    _runs: int = 0

    async def plan(self, procedure: str, **args: str | bool) -> Plan:
        """Plan, as a worker does when somebody asks. Raises what planning raises."""
        return await draft(PROCEDURES[procedure], _request(procedure, args), self.world)

    async def carry_out(self, procedure: str, **args: str | bool) -> Run:
        """Plan, approve, and execute to wherever it ends."""
        plan = await self.plan(procedure, **args)
        self._runs += 1
        pen = _Pen(self, RunId(f"r-{self._runs:08d}"))
        await pen.write(_request(procedure, args))
        await pen.write(Planned(plan, 1))
        await pen.write(Decided("approved", plan.digest, _REQUESTER.user, NAME, 0, (), 2**53))
        await execute(plan, pen, self.world)
        return pen.run


@asynccontextmanager
async def on_stage(
    bed: Testbed, cluster: RealCluster, platform: Platform, folder: Path
) -> AsyncIterator[Stage]:
    """Reach a cluster as a worker would."""
    async with AsyncExitStack() as stack:
        reader, actor, hosts, clock = EtcdReader(), EtcdActor(), SshHosts(), WallClock()
        for each in (reader, actor, hosts):
            stack.push_async_callback(each.close)
        tools = Tools({"3.4": str(bed.programs("3.4")), "3.5": str(bed.programs("3.5"))})
        backups = LocalBackups(folder, tools, clock)
        known = inventory(bed, cluster, platform)
        yield Stage(Reach(known, reader, clock, actor, backups, hosts, hosts))


def _request(procedure: str, args: Mapping[str, str | bool]) -> Requested:
    return Requested(
        command=procedure,
        args={"cluster": NAME, **args},
        cluster=NAME,
        site=SITE,
        requester=_REQUESTER,
        channel=ChannelId("C0OPS"),
    )


class _Pen:
    """Implements `Pen` and `Work`, for one worker that nobody disturbs."""

    def __init__(self, stage: Stage, run: RunId) -> None:
        self._stage = stage
        self._id = run
        self._entries: list[Entry] = []
        self._step = 0

    @property
    def run(self) -> Run:
        run = fold(self._entries)
        assert run is not None
        return run

    async def write(self, *events: Event) -> None:
        for event in events:
            now_ms = self._stage.world.clock.now_ms()
            self._entries.append(Entry(self._id, len(self._entries), "", now_ms, "w", event))

    def work(self, step: int) -> "_Pen":
        made = _Pen(self._stage, self._id)
        made._entries = self._entries
        made._step = step
        return made

    def mark(self, name: str) -> Mark:
        return Mark(self._id, self._step, self.run.steps[self._step].attempts, name)

    async def say(self, line: str) -> None:
        self._stage.said.append(line)

    async def guard(self) -> None:
        pass

    async def pause(self, duration_ms: int) -> None:
        await self._stage.world.clock.sleep_ms(duration_ms)

    async def rest(self, duration_ms: int) -> None:
        await self._stage.world.clock.sleep_ms(duration_ms)
