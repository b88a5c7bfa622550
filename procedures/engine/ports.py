"""What procedures need from the world. Adapters implement these; tests use in-memory twins."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pydantic import JsonValue

from procedures.engine.config_copies import ConfigCopies
from procedures.engine.drills import Drills
from procedures.engine.hosts import HostAct, HostLook, Transcript
from procedures.engine.membership import Membership
from procedures.model.host import Mark
from procedures.model.ids import ClusterName, MemberId
from procedures.model.inventory import Cluster, Inventory
from procedures.model.probe import (
    Alarm,
    Certificates,
    Fault,
    HashKv,
    Metrics,
    OwnCertificates,
    Sample,
    Versions,
)
from procedures.model.snapshot import Origin, Proof, Retention, Snapshot


class EtcdLook(Protocol):
    """Reading from etcd.

    Endpoints are asked in parallel, each call with a deadline of `cluster.deadline_ms`, so a
    method returns within one deadline (plus scheduling), however many members hang. No method
    raises for a fault of a member or of the way to it: the fault is in the answer.
    """

    async def sample(self, cluster: Cluster, extra: Sequence[str] = ()) -> Sample:
        """Ask each configured endpoint, and each client URL in `extra`, for its core figures."""
        ...

    async def hashes(
        self, cluster: Cluster, endpoints: Sequence[str], revision: int, *, fresh: bool = False
    ) -> Mapping[str, HashKv | Fault]:
        """Hash the key space up to a revision, by endpoint.

        Shared for 30 s among askers, unless it is to be `fresh`.
        """
        ...

    async def metrics(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Metrics | Fault]:
        """Scrape each endpoint's `/metrics`."""
        ...

    def scraped(self, cluster: Cluster, endpoint: str) -> Sequence[Metrics]:
        """Give what an endpoint's `/metrics` said in the last minute, oldest first.

        They are from scrapes without a fault in between; nothing is asked for it.
        """
        ...

    async def versions(
        self, cluster: Cluster, endpoints: Sequence[str]
    ) -> Mapping[str, Versions | Fault]:
        """Read each endpoint's `/version`."""
        ...

    async def certificates(
        self, cluster: Cluster, ports: Mapping[str, str | None]
    ) -> Mapping[str, Certificates]:
        """Read the certificates shown on client ports and peer ports.

        `ports` maps an endpoint (client URL) to the member's peer URL, None if not known.
        """
        ...

    async def own_certificates(self, cluster: Cluster) -> OwnCertificates:
        """Read the certificates in the cluster's own TLS files."""
        ...


class Clock(Protocol):
    """Time, handed in."""

    def now_ms(self) -> int:
        """Unix time in ms."""
        ...

    async def sleep_ms(self, duration_ms: int) -> None:
        """Wait."""
        ...


class Look(Protocol):
    """All that a procedure may look at; looking changes nothing."""

    @property
    def inventory(self) -> Inventory:
        """Where things are, and which members are expected there."""
        ...

    @property
    def etcd(self) -> EtcdLook:
        """Reading from etcd."""
        ...

    @property
    def hosts(self) -> HostLook:
        """Looking at machines."""
        ...

    @property
    def clock(self) -> Clock:
        """The time, and waiting."""
        ...

    @property
    def backups(self) -> "Kept | None":
        """Snapshots that are kept; None where no place is configured."""
        ...


class EtcdAct(Protocol):
    """Changing etcd, one call at a time, each to one endpoint, and sent once.

    Connecting may take `cluster.deadline_ms`; once sent, a call may take 5 s, or the cluster's
    deadline where that is longer. A call raises Permanent when etcd refused it, so that it changed
    nothing; Retryable when it was never sent, or turned away for a passing reason; InDoubt when it
    was sent and nobody answered: then it may still happen, also after the deadline (a removal that
    a leader without quorum has in its log is carried out when quorum returns). One that is
    cancelled is in doubt too.
    """

    async def remove_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        """Take a member out of the cluster for good: its id never returns."""
        ...

    async def update_peer_urls(
        self, cluster: Cluster, endpoint: str, member: MemberId, peer_urls: Sequence[str]
    ) -> None:
        """Tell the cluster where a member's peers reach it."""
        ...

    async def move_leader(self, cluster: Cluster, endpoint: str, to: MemberId) -> None:
        """Hand leadership over; `endpoint` is the leader's own."""
        ...

    async def add_member(
        self, cluster: Cluster, endpoint: str, peer_urls: Sequence[str], *, learner: bool
    ) -> MemberId:
        """Make room for a member that has not started yet, and give its id.

        Its peer URLs make it exclusive: while a member has one of them, etcd refuses another.
        """
        ...

    async def promote_member(self, cluster: Cluster, endpoint: str, member: MemberId) -> None:
        """Give a learner a vote. Raises Retryable where it has not caught up with the leader."""
        ...

    async def compact(
        self, cluster: Cluster, endpoint: str, revision: int, *, limit_ms: int
    ) -> None:
        """Drop what was overwritten or deleted before a revision, and wait until it is dropped.

        Returns also where that had been compacted already. It may take `limit_ms`, once sent.
        """
        ...

    async def defragment(self, cluster: Cluster, endpoint: str, *, limit_ms: int) -> None:
        """Write a member's data file anew, without free pages; meanwhile it serves nobody.

        It may take `limit_ms`, once sent. It changes no data, and waits in no log: where nobody
        answered, it is over once the member serves reads again.
        """
        ...

    async def disarm(self, cluster: Cluster, endpoint: str, alarm: Alarm) -> None:
        """Take an alarm back; no error where it is not on."""
        ...

    def snapshot(self, cluster: Cluster, endpoint: str) -> AsyncIterator[bytes]:
        """Stream a snapshot of the key space as it lies in a file: data, then its SHA-256.

        Raises Retryable when the stream ends early or stands still for longer than a call may
        take: a snapshot that is cut off has changed nothing. Closing it ends the call.
        """
        ...

    async def write_and_read(self, cluster: Cluster, endpoint: str, value: str) -> None:
        """Write a canary key of Quorumbot's own, read it back linearizably, and delete it.

        Raises InDoubt when no answer came, Permanent when something else was read. A key that
        could not be deleted goes by itself within about a minute.
        """
        ...


class Kept(Protocol):
    """The snapshots that a site keeps of its clusters.

    Every call raises Retryable where the place is out of reach, full or in use for the moment,
    and Permanent where it cannot be used as it is; the words say what to do. A cluster or a
    snapshot whose name could lead out of the place is Permanent too.
    """

    @property
    def copies(self) -> ConfigCopies:
        """Copies of configurations, in the same place."""
        ...

    @property
    def drills(self) -> Drills:
        """Trying its snapshots; what came of it is remembered in the same place."""
        ...

    async def listing(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All stored snapshots of a cluster, the newest first. What they hold is not read."""
        ...

    async def archives(self, cluster: ClusterName) -> tuple[Snapshot, ...]:
        """All archives with a v2 store, the newest first; the calls below take them too."""
        ...

    async def verify(self, snapshot: Snapshot) -> str | None:
        """Read a stored snapshot again: None when it is as it was stored, else what is wrong.

        What is wrong begins with a verb, e.g. `is cut off: …`.
        """
        ...

    def read(self, snapshot: Snapshot) -> AsyncGenerator[bytes, None]:
        """Stream a stored snapshot. Who takes it has to compare its SHA-256 at the end.

        Raises Permanent where it is not there any more, and where it is not as long as it was
        stored: then at the end of what there is.
        """
        ...


class Backups(Kept, Protocol):
    """Where a site keeps snapshots of its clusters. Raises as `Kept` does."""

    async def save(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes]
    ) -> Snapshot:
        """Store a snapshot while it streams, verified (R12), 0600, under its final name at once.

        Raises Permanent, and leaves nothing behind, for one that is not whole: its size modulo
        512 is not 32, its last 32 bytes are not the SHA-256 of the rest, the real tool of the
        server's minor does not read it, or it is older than `origin.revision`. Where that tool
        is missing, nothing is read from `chunks`. What `chunks` raises comes through; it is
        closed in any case. There is no limit of time but that of `chunks`.
        """
        ...

    async def save_archive(
        self, cluster: Cluster, origin: Origin, chunks: AsyncIterator[bytes], proof: Proof
    ) -> Snapshot:
        """Store an archive likewise; what makes it whole is that it is what its host has hashed.

        Raises Permanent, and leaves nothing behind, where size or SHA-256 are not those of the
        proof, or where that is older than `origin.revision`.
        """
        ...

    async def rotate(self, cluster: Cluster, retention: Retention) -> tuple[Snapshot, ...]:
        """Delete what is `expendable`, the oldest first; gives what was deleted.

        What is not as long as it was stored stands for no day, and is left for people to see.
        """
        ...


class Reachable(Look, Protocol):
    """All that a worker reaches, whatever run it has in hand."""

    @property
    def act(self) -> EtcdAct:
        """Changing etcd."""
        ...

    @property
    def on_hosts(self) -> HostAct:
        """Working on machines."""
        ...

    @property
    def backups(self) -> Backups | None:
        """Where snapshots are kept; None where no place is configured."""
        ...


class World(Reachable, Protocol):
    """All that a step may look at and act on, for one run.

    Its inventory has the expected members of the run's cluster as they are recorded.
    """

    @property
    def expected(self) -> Membership:
        """Which members are expected."""
        ...


class Work(Protocol):
    """A step's own place in its run."""

    async def say(self, line: str) -> None:
        """Let people follow: one line of output."""
        ...

    def mark(self, name: str) -> Mark:
        """Mark a piece of work on a machine as this step's, in its present attempt."""
        ...

    def transcript(self, host: str, mark: Mark) -> Transcript:
        """Where the output of a piece of work on a host goes on, whoever followed it before."""
        ...

    async def guard(self) -> None:
        """Make sure, right before a call that changes something, that the run is still ours.

        Raises when another worker has it: then nothing may be changed any more.
        """
        ...

    async def pause(self, duration_ms: int) -> None:
        """Wait. Raises Cancelling when somebody has asked for the end meanwhile."""
        ...

    async def cancelling(self) -> None:
        """Wait until somebody has asked for the end of the run."""
        ...

    async def rest(self, duration_ms: int) -> None:
        """Wait, also when somebody has asked for the end: first it must be known what is."""
        ...


class Cancelling(Exception):  # noqa: N818 (a wish, not an error)
    """Somebody has asked for the end of the run. Its arguments name what was stopped for that."""


@dataclass(frozen=True, slots=True)
class Happened:
    """A step that was interrupted is done; `value` is what it would have given."""

    value: JsonValue = None


@dataclass(frozen=True, slots=True)
class NotHappened:
    """It is not done, and no call of before can do it any more.

    `halfway` says that what it has begun is worse than either, such as an etcd that was stopped
    and not started: it is done before the run may end.
    """

    halfway: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can tell; `why` is one sentence for the person who has to look."""

    why: str


Finding: TypeAlias = Happened | NotHappened | Unclear
