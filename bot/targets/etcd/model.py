"""A small etcd cluster in memory, for tests: members in the states that matter to an observer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Self

from procedures.model.ids import MemberId, MemberName, hex_id
from procedures.model.inventory import Cluster
from procedures.model.probe import (
    Alarm,
    Certificate,
    Fault,
    Histogram,
    ListedMember,
    Metrics,
    Status,
)

CLUSTER_ID = hex_id(0xC0FFEE)
_YEAR_S = 365 * 24 * 3600
_BUCKETS_US = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000)


class Condition(Enum):
    """What a member's process and network are like."""

    RUNNING = auto()
    STOPPED = auto()
    FROZEN = auto()
    BLACKHOLED = auto()  # for the asker only: its peers still reach it
    BARRED = auto()  # likewise, and the asker is told so
    OFF = auto()  # its host has no power: nobody reaches it


def quick(count: int) -> Histogram:
    """Give a histogram of so many observations below 1 ms."""
    return Histogram((*((bound, count) for bound in _BUCKETS_US), (None, count)))


def certificate(subject: str, not_before_s: int, *, days: int = 365) -> Certificate:
    """Give a certificate signed by the fake CA."""
    return Certificate(
        f"CN={subject}", "CN=fake CA", not_before_s, not_before_s + days * _YEAR_S // 365
    )


_WORKING = frozenset({Condition.RUNNING, Condition.BLACKHOLED, Condition.BARRED})


@dataclass(slots=True)
class FakeMember:
    """One member; tests set what they need, at any time."""

    name: MemberName
    id: MemberId
    client_url: str
    peer_urls: tuple[str, ...]
    metrics: Metrics
    client_certificate: Certificate | Fault
    peer_certificate: Certificate | Fault
    condition: Condition = Condition.RUNNING
    started: bool = True
    learner: bool = False
    fault: Fault | None = None
    """The way to it fails like this: an untrusted certificate, a name that does not resolve."""
    apart: bool = False
    """Its peers and it cannot connect, as where the certificate that it shows them has ended."""
    version: str = "3.4.23"
    latency_us: int = 900
    raft_behind: int = 0
    apply_behind: int = 0
    db_size: int = 20_480
    db_size_in_use: int = 16_384
    history: int = 0
    """So many of the bytes in use hold old versions, which a compaction drops."""
    dropped: int = 0
    """So many count as in use and are free: etcd notices with the next write."""
    hash: int = 0xFEED
    listens: tuple[str, ...] = ()
    """Where it listens besides; the member list need not say so."""

    @property
    def peer_url(self) -> str:
        """The first of its peer URLs; most have one."""
        return self.peer_urls[0]

    @property
    def works(self) -> bool:
        """Tell whether its peers can count on it."""
        return self.started and self.condition in _WORKING and not self.apart


@dataclass(slots=True)
class FakeCluster:
    """A cluster, by member name. Leadership follows from who works."""

    members: dict[MemberName, FakeMember]
    alarms: list[Alarm] = field(default_factory=list)
    revision: int = 100
    compact_revision: int = 1
    raft_index: int = 500
    raft_term: int = 2
    cluster_id: MemberId = CLUSTER_ID
    waiting: list[Callable[[], object]] = field(default_factory=list, init=False)
    """Changes that were sent while there was no quorum, see `model_changes`."""
    _leader: MemberId | None = field(default=None, init=False)
    _added: int = field(default=0, init=False)

    @classmethod
    def of(cls, cluster: Cluster, now_ms: int = 0) -> Self:
        """Make a healthy cluster of the members that are configured."""
        self = cls({})
        for name, url in cluster.endpoints.items():
            self.add(name, url, now_ms=now_ms)
        return self

    def add(
        self,
        name: MemberName,
        client_url: str,
        *,
        learner: bool = False,
        started: bool = True,
        now_ms: int = 0,
    ) -> FakeMember:
        """Add a member, as `member add` and, where `started`, the start of its process do."""
        self._added += 1
        shown = certificate(name, now_ms // 1000)
        member = self.members[name] = FakeMember(
            name=name,
            id=hex_id(0xA000 + self._added),
            client_url=client_url,
            peer_urls=(f"https://{name}.invalid:2380",),
            metrics=_metrics(now_ms),
            client_certificate=shown,
            peer_certificate=shown,
            learner=learner,
            started=started,
        )
        return member

    def raise_alarm(self, name: MemberName, kind: str = "NOSPACE") -> None:
        """Raise an alarm for a member."""
        self.alarms.append(Alarm(self.members[name].id, kind))

    @property
    def voters(self) -> list[FakeMember]:
        """All members that vote, started or not."""
        return [member for member in self.members.values() if not member.learner]

    @property
    def quorum(self) -> bool:
        """Tell whether enough voters work."""
        return sum(member.works for member in self.voters) > len(self.voters) // 2

    @property
    def leader(self) -> FakeMember | None:
        """The leader: it stays while it works and there is a quorum; else the next is elected."""
        if not self.quorum:
            return None
        current = next((each for each in self.members.values() if each.id == self._leader), None)
        if current is None or not current.works or current.learner:
            if self._leader is not None:
                self.raft_term += 1
            current = next(member for member in self.voters if member.works)
            self._leader = current.id
        return current

    def hand_over(self, to: FakeMember) -> None:
        """Make a voter that works the leader."""
        if to is not self.leader:
            self._leader = to.id
            self.raft_term += 1

    def listed(self) -> tuple[ListedMember, ...]:
        """Give the member list."""
        return tuple(
            ListedMember(
                id=member.id,
                name=member.name if member.started else "",
                peer_urls=member.peer_urls,
                client_urls=(member.client_url,) if member.started else (),
                learner=member.learner,
            )
            for member in self.members.values()
        )

    def status(self, member: FakeMember) -> Status:
        """Give a member's status."""
        leader = self.leader
        return Status(
            member_id=member.id,
            cluster_id=self.cluster_id,
            version=member.version,
            leader=leader.id if leader else None,
            learner=member.learner,
            raft_term=self.raft_term,
            raft_index=self.raft_index - member.raft_behind,
            raft_applied_index=self.raft_index - member.raft_behind - member.apply_behind,
            revision=self.revision,
            db_size=member.db_size,
            db_size_in_use=member.db_size_in_use,
            quota=None,
            storage_version=None,
            errors=tuple(self._errors(leader)),
        )

    def _errors(self, leader: FakeMember | None) -> Iterable[str]:
        if leader is None:
            yield "etcdserver: no leader"
        for alarm in self.alarms:
            yield f"memberID:{int(alarm.member_id, 16)} alarm:{alarm.kind} "


def _metrics(now_ms: int) -> Metrics:
    return Metrics(
        at_ms=now_ms,
        started_ms=now_ms - 3_600_000,
        wal_fsync=quick(1000),
        backend_commit=quick(500),
        peer_rtt={},
        grpc_handling=None,
        grpc_handled=10_000,
        grpc_failed=0,
        leader_changes=1,
        proposals_failed=0,
        proposals_pending=0,
        quota=2 * 1024**3,
    )
