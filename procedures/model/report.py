"""Answers to read-only questions, as data that messages, terminals and scripts render."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from procedures.model.drill import Drill
from procedures.model.ids import ClusterName, MemberId


class Verdict(StrEnum):
    """What an answer about a cluster comes down to. `checking` until the second sample."""

    CHECKING = "checking"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    NO_QUORUM = "no quorum"
    UNKNOWN = "unknown"


class Level(StrEnum):
    """How a figure is to be taken. `unknown` is neither good nor bad."""

    OK = "ok"
    INFO = "info"
    WARN = "warn"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the whole cluster, or of one member where `member` names it.

    `counts` says whether a level other than ok or info changes the verdict.
    """

    name: str
    level: Level
    text: str
    member: str | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member in the table; text columns say "unknown" where nothing was learnt."""

    name: str
    id: MemberId | None
    health: str
    role: str
    read_ms: str
    version: str
    db: str
    raft: str
    note: str


@dataclass(frozen=True, slots=True)
class Advice:
    """One part of "safe now": the kind of change, whether it may be made, for whom and why."""

    change: str
    allowed: bool
    text: str


@dataclass(frozen=True, slots=True)
class ClockPair:
    """One clock is `by_ms` ahead of another, `give_or_take_ms` that the way to them leaves open."""

    ahead: str
    behind: str
    by_ms: int
    give_or_take_ms: int


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Answer of `etcd health`. `members` is healthy voters, or answering ones without quorum.

    `hosts` are figures of the machines, where some are configured; `member` is the host then. They
    never change the verdict. `clocks` compares each two of them.
    """

    cluster: ClusterName
    verdict: Verdict
    headline: str
    members: int
    voters: int
    tolerance: int | None
    advice: tuple[Advice, ...]
    rows: tuple[MemberRow, ...]
    figures: tuple[Figure, ...]
    samples: int
    hosts: tuple[Figure, ...] = ()
    clocks: tuple[ClockPair, ...] = ()
    kind: Literal["health"] = "health"


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One row of the member list, as etcd tells it, and whether that member is expected.

    Answers that were stored before it was told have None.
    """

    name: str
    id: MemberId
    role: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    note: str
    expected: bool | None = None


@dataclass(frozen=True, slots=True)
class MembersReport:
    """Answer of `etcd members`."""

    cluster: ClusterName
    headline: str
    rows: tuple[ListedRow, ...]
    notes: tuple[str, ...]
    kind: Literal["members"] = "members"


@dataclass(frozen=True, slots=True)
class BackupRow:
    """One stored backup, read again just now. `fault` says what is wrong with it, None if nothing.

    Sizes in bytes, times in Unix ms.
    """

    name: str
    taken_at_ms: int
    size: int
    revision: int
    total_keys: int
    quorum: bool
    fault: str | None


@dataclass(frozen=True, slots=True)
class BackupsReport:
    """Answer of `etcd backups`; the newest first. `drill` is the last one, if there was any."""

    cluster: ClusterName
    headline: str
    rows: tuple[BackupRow, ...]
    unread: int
    drill: Drill | None = None
    kind: Literal["backups"] = "backups"


@dataclass(frozen=True, slots=True)
class HostsReport:
    """Answer of a question about machines; `member` of a figure is the host."""

    cluster: ClusterName
    headline: str
    figures: tuple[Figure, ...]
    clocks: tuple[ClockPair, ...] = ()
    kind: Literal["hosts"] = "hosts"


Report: TypeAlias = HealthReport | MembersReport | BackupsReport | HostsReport
Answer = Annotated[Report, Field(discriminator="kind")]
"""Any answer. Its first words, `headline`, are what notifications and scripts read."""
