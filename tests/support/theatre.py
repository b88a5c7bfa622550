"""Plans carried out in memory: one journal, and workers that crash or stall where a test says."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.targets.backups.memory import MemoryBackups, fake_snapshot
from bot.targets.etcd.memory import FakeEtcd
from procedures.catalogue import PROCEDURES
from procedures.engine.draft import draft
from procedures.engine.execute import execute
from procedures.engine.ports import Cancelling
from procedures.model.events import Decided, Entry, Event, Planned, Requested, Requester, Voted
from procedures.model.ids import ChannelId, ClusterName, MemberId, RunId, Site, TeamId, UserId
from procedures.model.inventory import Cluster, Inventory
from procedures.model.run import Run, fold
from procedures.model.snapshot import Origin, Retention, Snapshot
from tests.support.sight import FakeClock, FakeSight, a_sight

ALICE, BOB, CAROL = UserId("U0ALICE"), UserId("U0BOB"), UserId("U0CAROL")
RUN = RunId("r-00000001")
_MOST_WRITES = 200


class Crash(BaseException):
    """The worker is gone."""


class NoLongerOurs(BaseException):
    """Another worker has the run."""


@dataclass(slots=True)
class Script:
    """Where a worker crashes: at the `crash_at`-th point, counted from 0; never when None.

    A point lies before and after each journal write, and before and after each call that changes
    something. At `stall_at` it stalls before the call instead, and `meanwhile` happens; `at_guard`
    happens at each look at the lease.
    """

    crash_at: int | None = None
    stall_at: int | None = None
    meanwhile: Callable[[], Awaitable[None]] | None = None
    passed: int = 0
    calls: int = 0
    guarded: bool = False
    at_guard: Callable[[], None] = lambda: None

    def point(self) -> None:
        """Pass a point, or crash at it."""
        self.passed += 1
        if self.crash_at is not None and self.passed - 1 == self.crash_at:
            raise Crash

    async def call(self) -> None:
        """Pass the moment between the look at the lease, which must have been, and the call."""
        assert self.guarded, "a call without a look at the lease right before"
        self.guarded = False
        self.calls += 1
        if self.stall_at is not None and self.calls - 1 == self.stall_at and self.meanwhile:
            await self.meanwhile()


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
class Keeping:
    """MemoryBackups, with points around what deletes."""

    backups: MemoryBackups
    script: Script

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        return await self.backups.save(cluster, origin, chunks)

    async def listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        return await self.backups.listing(cluster)

    async def verify(self, snapshot: Snapshot) -> str | None:
        return await self.backups.verify(snapshot)

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:
        await self.script.call()
        self.script.point()
        gone = await self.backups.rotate(cluster, retention)
        self.script.point()
        return gone


@dataclass(slots=True)
class Stage:
    """Implements `procedures.engine.ports.World` for one worker."""

    inventory: Inventory
    etcd: FakeEtcd
    clock: FakeClock
    act: Acting
    backups: Keeping


@dataclass(slots=True)
class Pen:
    """A journal in memory that all workers of a run share; only the latest one may write."""

    theatre: "Theatre"
    script: Script
    holder: int
    said: list[str] = field(default_factory=list)

    @property
    def run(self) -> Run:
        run = fold(self.theatre.entries)
        assert run is not None
        return run

    async def write(self, *events: Event) -> None:
        self.script.point()
        self._hold()
        self.theatre.append(*events)
        assert len(self.theatre.entries) < _MOST_WRITES
        self.script.point()

    def work(self, _step: int) -> "Pen":
        return self

    async def say(self, line: str) -> None:
        self.said.append(line)

    async def guard(self) -> None:
        self.script.at_guard()
        self._hold()
        self.script.guarded = True
        if self.run.cancel_asked:
            raise Cancelling

    async def pause(self, duration_ms: int) -> None:
        await self.rest(duration_ms)
        if self.run.cancel_asked:
            raise Cancelling

    async def rest(self, duration_ms: int) -> None:
        self.script.guarded = False
        await self.theatre.sight.clock.sleep_ms(duration_ms)

    def _hold(self) -> None:
        if self.holder != self.theatre.holder:
            raise NoLongerOurs


class Theatre:
    """One approved run of one procedure on one fake cluster."""

    def __init__(self, procedure: str, args: Mapping[str, str | bool], sight: FakeSight) -> None:
        self.sight = sight
        self.entries: list[Entry] = []
        self.effects: list[str] = []
        self.holder = 0
        self.backups = MemoryBackups(sight.clock)
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
        """The run as its journal tells it."""
        run = fold(self.entries)
        assert run is not None
        return run

    def append(self, *events: Event) -> None:
        """Write to the journal, whoever it is."""
        for event in events:
            seq = len(self.entries)
            self.entries.append(Entry(RUN, seq, "", self.sight.clock.ms + seq, "w", event))

    async def approved(self) -> None:
        """Plan, and let two people approve."""
        request = self.run.request
        plan = await draft(PROCEDURES[request.command], request, self._stage(Script()))
        digest = plan.digest
        self.append(Planned(plan, 2))
        self.append(Voted(BOB, "approve", digest), Voted(CAROL, "approve", digest))
        self.append(Decided("approved", digest, ALICE, ClusterName("demo"), 2, (BOB, CAROL), 2**53))

    async def work(self, script: Script | None = None) -> Pen:
        """Let one more worker carry the run on, for as long as its script lets it."""
        script = script or Script()
        self.holder += 1
        pen = Pen(self, script, self.holder)
        plan = self.run.plan
        assert plan is not None
        try:
            await execute(plan, pen, self._stage(script))
        except (Crash, NoLongerOurs) as error:
            pen.said.append(repr(error))
        return pen

    def members(self) -> dict[str, tuple[str, ...]]:
        """Who is a member, at which peer URLs."""
        return {name: member.peer_urls for name, member in self.sight.demo.members.items()}

    def _stage(self, script: Script) -> Stage:
        act = Acting(self.sight.etcd, script, self.effects)
        kept = Keeping(self.backups, script)
        return Stage(self.sight.inventory, self.sight.etcd, self.sight.clock, act, kept)


def a_theatre(procedure: str, args: Mapping[str, str | bool], size: int = 3) -> Theatre:
    """A run on a healthy fake cluster of its own."""
    return Theatre(procedure, args, a_sight(size))
