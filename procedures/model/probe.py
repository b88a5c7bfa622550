"""What an etcd cluster says about itself, as plain values. Times in µs, sizes in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from procedures.model.ids import MemberId, MemberName


class FaultKind(StrEnum):
    """Why a question has no answer, by whose side the cause lies on."""

    FILES = "files"  # ours: a certificate or key file is missing or unusable
    TRUST = "trust"  # ours: TLS refused by one side (CA, name, dates, client certificate)
    DNS = "dns"  # ours: the name does not resolve
    DENIED = "denied"  # ours: authenticated, and not allowed to ask
    UNREACHABLE = "unreachable"  # nobody can tell: no TCP connection within the deadline
    REFUSED = "refused"  # theirs: the host answers and nothing listens
    SILENT = "silent"  # theirs: connected, and no answer within the deadline
    SERVER = "server"  # theirs: etcd answered with an error
    SKIPPED = "skipped"  # not asked, on purpose

    @property
    def on_our_side(self) -> bool:
        """Tell whether the cause lies with the asker, so that it says nothing about etcd."""
        return self in _OURS

    @property
    def on_their_side(self) -> bool:
        """Tell whether the cause is proven to lie with the member."""
        return self in _THEIRS


_OURS = frozenset({FaultKind.FILES, FaultKind.TRUST, FaultKind.DNS, FaultKind.DENIED})
_THEIRS = frozenset({FaultKind.REFUSED, FaultKind.SILENT, FaultKind.SERVER})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something could not be learnt; `message` is one sentence for people."""

    kind: FaultKind
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """Answer of Maintenance.Status. `leader` is None when the member knows none."""

    member_id: MemberId
    cluster_id: MemberId
    version: str
    leader: MemberId | None
    learner: bool
    raft_term: int
    raft_index: int
    raft_applied_index: int
    revision: int
    db_size: int
    db_size_in_use: int
    quota: int | None
    storage_version: str | None
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A read that succeeded; serializable only where the member is a learner."""

    latency_us: int
    linearizable: bool


@dataclass(frozen=True, slots=True)
class ListedMember:
    """One row of the member list. A member that never started has an empty name."""

    id: MemberId
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    learner: bool

    @property
    def started(self) -> bool:
        """Tell whether the member has ever started: it has a name. It may be dead by now."""
        return bool(self.name)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that a member has raised: NOSPACE, CORRUPT, or the number of a newer one."""

    member_id: MemberId
    kind: str


@dataclass(frozen=True, slots=True)
class MemberProbe:
    """What one endpoint answered, on a connection of its own, in one sample."""

    endpoint: str
    expected: MemberName | None
    status: Status | Fault
    read: Read | Fault
    members: tuple[ListedMember, ...] | Fault
    alarms: tuple[Alarm, ...] | Fault


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of questions to all endpoints; `at_ms` is Unix time when it began."""

    at_ms: int
    probes: tuple[MemberProbe, ...]


@dataclass(frozen=True, slots=True)
class HashKv:
    """Hash of the key space up to `revision`, comparable at equal `compact_revision` only."""

    revision: int
    compact_revision: int
    hash: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """A Prometheus histogram: cumulative counts by upper bound in µs; None is +Inf."""

    buckets: tuple[tuple[int | None, int], ...]

    @property
    def count(self) -> int:
        """How many observations there are."""
        return self.buckets[-1][1] if self.buckets else 0


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of one scrape of a member; None where the member does not export one.

    Counters count since the process started at `started_ms`. By peer id: `peer_rtt`;
    `active_peers`, whether a connection counts as live; `received`, the bytes of messages from it;
    and `addressed`, which grows with each message to it, sent or not.
    """

    at_ms: int
    started_ms: int | None
    wal_fsync: Histogram | None
    backend_commit: Histogram | None
    peer_rtt: Mapping[MemberId, Histogram]
    grpc_handling: Histogram | None
    grpc_handled: int | None
    grpc_failed: int | None
    leader_changes: int | None
    proposals_failed: int | None
    proposals_pending: int | None
    quota: int | None
    active_peers: Mapping[MemberId, bool] = field(default_factory=dict)
    received: Mapping[MemberId, int] = field(default_factory=dict)
    addressed: Mapping[MemberId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Versions:
    """Answer of `/version`: the server's own version and the one the cluster agreed on."""

    server: str
    cluster: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as seen in a handshake or in a file; times are Unix seconds.

    `sha256` is that of all of it, None where nobody has told.
    """

    subject: str
    issuer: str
    not_before_s: int
    not_after_s: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates of one member's ports, read without trusting them."""

    client_port: Certificate | Fault
    peer_port: Certificate | Fault


@dataclass(frozen=True, slots=True)
class OwnCertificates:
    """The asker's own files: the CA that it trusts and the certificate that it shows."""

    ca: tuple[Certificate, ...] | Fault
    client: Certificate | Fault
