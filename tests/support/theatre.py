"""Plans carried out in memory: one journal, and workers that crash or stall where a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.targets.backups.memory import MemoryBackups, fake_snapshot
from bot.targets.etcd.memory import FakeEtcd
from bot.targets.ssh.memory import FakeHosts
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.engine.execute import execute
from procedures.engine.ports import Cancelling
from procedures.model.events import (
    CancelAsked,
    Decided,
    Entry,
    Event,
    Planned,
    Reported,
    Requested,
    Requester,
    Voted,
)
from procedures.model.expected import Expected
from procedures.model.host import Mark
from procedures.model.ids import ChannelId, ClusterName, MemberId, RunId, Site, TeamId, UserId
from procedures.model.inventory import Cluster, Inventory
from procedures.model.probe import Alarm
from procedures.model.run import Run, advance
from tests.support import by_people
from tests.support.acting_on_hosts import ActingOnHosts
from tests.support.copying import ActingBackups
from tests.support.expecting import FakeMembership
from tests.support.script import Crash, Script
from tests.support.sight import FakeClock, FakeSight, a_sight
from tests.support.transcripts import Heard

ALICE, BOB, CAROL = UserId("U0ALICE"), UserId("U0BOB"), UserId("U0CAROL")
RUN = RunId("r-00000001")
_MOST_WRITES = 200
_KNOWN = {**PROCEDURES, by_people.PROCEDURE.name: by_people.PROCEDURE}


class NoLongerOurs(BaseException):
    """Another worker has the run."""


@dataclass(slots=True)
class Acting:
    """FakeEtcd's changes, with points around each; notes the ones that took effect."""

    etcd: FakeEtcd
    script: Script
    effects: list[str]

    async def remove_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.remove_member(cluster, endpoint, member)
        self.effects.append(f"remove {member}")
        self.script.point()

    async def update_peer_urls(
        self, cluster: Cluster, endpoint: str, member: MemberId, peer_urls: Sequence[str]
    ) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.update_peer_urls(cluster, endpoint, member, peer_urls)
        self.effects.append(f"update {member} {peer_urls}")
        self.script.point()

    async def move_leader(self, cluster: Cluster, endpoint: str, to: MemberId) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.move_leader(cluster, endpoint, to)
        self.effects.append(f"lead {to}")
        self.script.point()

    async def add_member(
        self, cluster: Cluster, endpoint: str, peer_urls: Sequence[str], *, learner: bool
    ) -> MemberId:
        await self.script.call()
        self.script.point()
        member = await self.etcd.add_member(cluster, endpoint, peer_urls, learner=learner)
        self.effects.append(f"add {member} {peer_urls} learner={learner}")
        self.script.point()
        return member

    async def promote_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.promote_member(cluster, endpoint, member)
        self.effects.append(f"promote {member}")
        self.script.point()

    async def compact(
        self, cluster: Cluster, endpoint: str, revision: int, *, limit_ms: int
    ) -> None:
        await self.script.call()
        self.script.point()
        before = self.etcd.clusters[cluster.name].compact_revision
        await self.etcd.compact(cluster, endpoint, revision, limit_ms=limit_ms)
        if before != revision:
            self.effects.append(f"compact {revision}")
        self.script.point()

    async def defragment(self, cluster: Cluster, endpoint: str, *, limit_ms: int) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.defragment(cluster, endpoint, limit_ms=limit_ms)
        self.effects.append(f"defragment {endpoint}")
        self.script.point()

    async def disarm(self, cluster: Cluster, endpoint: str, alarm: Alarm) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.disarm(cluster, endpoint, alarm)
        self.effects.append(f"disarm {alarm.kind} {alarm.member_id}")
        self.script.point()

    async def snapshot(self, cluster: Cluster, endpoint: str) -> AsyncIterator[bytes]:  # noqa: ARG002
        await self.script.call()
        self.script.point()
        yield fake_snapshot(self.etcd.clusters[cluster.name].revision)
        self.script.point()

    async def write_and_read(self, cluster: Cluster, endpoint: str, value: str) -> None:
        await self.script.call()
        self.script.point()
        await self.etcd.write_and_read(cluster, endpoint, value)
        self.script.point()


@dataclass(slots=True)
class Stage:
    """Implements `procedures.engine.ports.World` for one worker."""

    inventory: Inventory
    etcd: FakeEtcd
    clock: FakeClock
    act: Acting
    backups: ActingBackups
    hosts: FakeHosts
    on_hosts: ActingOnHosts
    expected: FakeMembership = field(init=False)


@dataclass(slots=True)
class Pen:
    """A journal in memory that all workers of a run share; only the latest one may write."""

    theatre: "Theatre"
    script: Script
    holder: int
    said: list[str] = field(default_factory=list)
    step: int = 0

    @property
    def run(self) -> Run:
        return self.theatre.run

    async def write(self, *events: Event) -> None:
        self.script.point()
        self.hold()
        self.theatre.append(*events)
        assert len(self.theatre.entries) < _MOST_WRITES
        self.script.point()

    def work(self, step: int) -> "Pen":
        self.step = step
        return self

    def mark(self, name: str) -> Mark:
        return Mark(RUN, self.step, self.run.steps[self.step].attempts, name)

    async def say(self, line: str) -> None:
        self.said.append(line)

    def transcript(self, host: str, mark: Mark) -> Heard:
        heard = self.theatre.heard.setdefault((host, mark.key), Heard())
        heard.lines = self.said
        return heard

    async def guard(self) -> None:
        self.script.at_guard()
        self.hold()
        self.script.guarded = True
        if self.run.cancel_asked:
            raise Cancelling

    async def pause(self, duration_ms: int) -> None:
        await self.rest(duration_ms)
        if self.run.cancel_asked:
            raise Cancelling

    async def cancelling(self) -> None:
        await self.theatre.cancelling.wait()

    async def rest(self, duration_ms: int) -> None:
        self.script.guarded = False
        await self.theatre.sight.clock.sleep_ms(duration_ms)

    def hold(self) -> None:
        if self.holder != self.theatre.holder:
            raise NoLongerOurs


class Theatre:
    """One approved run of one procedure on one fake cluster."""

    def __init__(self, procedure: str, args: Mapping[str, str | bool], sight: FakeSight) -> None:
        self.sight = sight
        self.entries: list[Entry] = []
        self._run: Run | None = None
        self._read = 0
        self.effects: list[str] = []
        self.heard: dict[tuple[str, str], Heard] = {}
        self.holder = 0
        self.cancelling = asyncio.Event()
        self.people_help = False
        self.helping: Callable[[], None] = lambda: None
        self.backups = sight.backups = MemoryBackups(sight.clock)
        sight.hosts.effects = self.effects
        cluster = ClusterName("demo")
        self.append(
            Requested(
                command=procedure,
                args={"cluster": cluster, **args},
                cluster=cluster,
                site=Site("default"),
                requester=Requester(ALICE, TeamId("T0"), "alice"),
                channel=ChannelId("C0OPS"),
            )
        )

    @property
    def run(self) -> Run:
        """The run as its journal tells it; that only grows, so what was read is not read again."""
        new = self.entries[self._read :]
        self._run, self._read = advance(self._run, new), len(self.entries)
        assert self._run is not None
        return self._run

    def append(self, *events: Event) -> None:
        """Write to the journal, whoever it is."""
        for event in events:
            seq = len(self.entries)
            if isinstance(event, CancelAsked):
                self.cancelling.set()
            self.entries.append(Entry(RUN, seq, "", self.sight.clock.ms + seq, "w", event))

    async def approved(self) -> None:
        """Plan, and let two people approve."""
        request = self.run.request
        plan = await draft(_KNOWN[request.command], request, self._stage(Script()))
        digest = plan.digest
        self.append(Planned(plan, 2))
        self.append(Voted(BOB, "approve", digest), Voted(CAROL, "approve", digest))
        self.append(Decided("approved", digest, ALICE, ClusterName("demo"), 2, (BOB, CAROL), 2**53))

    def report(self, user: UserId = ALICE) -> None:
        """Let somebody say that what people are asked for is done."""
        asked = self.run.asked
        assert asked is not None, self.run.state
        self.append(Reported(asked.step, asked.attempt, user))

    async def work(self, script: Script | None = None) -> Pen:
        """Let one more worker carry the run on, for as long as its script lets it.

        Where `people_help`, what they are asked for is done at once; `helping` is how.
        """
        script = script or Script()
        self.holder += 1
        pen = Pen(self, script, self.holder)
        plan = self.run.plan
        assert plan is not None
        try:
            await execute(plan, pen, self._stage(script, pen.hold))
            while self.people_help and self.run.asked:
                self.helping()
                self.report()
                await execute(plan, pen, self._stage(script, pen.hold))
        except (Crash, NoLongerOurs) as error:
            pen.said.append(repr(error))
        return pen

    def members(self) -> dict[str, tuple[str, ...]]:
        """Who is a member, at which peer URLs."""
        return {name: member.peer_urls for name, member in self.sight.demo.members.items()}

    def units(self) -> dict[str, tuple[str, int]]:
        """How etcd's unit is on each machine, and how often it was started."""
        machines = self.sight.hosts.machines
        units = {name: machine.units["etcd.service"] for name, machine in machines.items()}
        return {name: (unit.active, unit.starts) for name, unit in units.items()}

    def unheard(self) -> list[str]:
        """The pieces of work of which no worker has stored all that they printed."""
        return [
            f"{name} {key}: {' '.join(work.argv)}"
            for name, machine in self.sight.hosts.machines.items()
            for (_, key), work in (machine.over | machine.work).items()
            if len(work.lines) != self.heard.get((name, key), Heard()).stored
        ]

    def expected(self) -> dict[str, str]:
        """Which members are expected, at which client URLs."""
        (cluster,) = self.sight.inventory.clusters.values()
        recorded = self.sight.records.stored.get(cluster.name, Expected())
        return {str(name): url for name, url in cluster.expecting(recorded).endpoints.items()}

    def _stage(self, script: Script, hold: Callable[[], None] = lambda: None) -> Stage:
        act = Acting(self.sight.etcd, script, self.effects)
        sight, hosts = self.sight, self.sight.hosts
        on_hosts = ActingOnHosts(hosts, script)
        backups = ActingBackups(self.backups, script)
        stage = Stage(sight.inventory, sight.etcd, sight.clock, act, backups, hosts, on_hosts)
        stage.expected = FakeMembership(
            sight.records, stage, hold=hold, script=script, effects=self.effects
        )
        stage.expected.follow(ClusterName("demo"))
        return stage


def a_theatre(procedure: str, args: Mapping[str, str | bool], size: int = 3) -> Theatre:
    """A run on a healthy fake cluster of its own."""
    return Theatre(procedure, args, a_sight(size))
