"""One picture of a cluster, put together from what each of its members said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from procedures.model import quorum
from procedures.model.ids import MemberId, MemberName
from procedures.model.inventory import Cluster
from procedures.model.probe import (
    Alarm,
    Fault,
    FaultKind,
    ListedMember,
    MemberProbe,
    Read,
    Sample,
    Status,
)
from procedures.model.quorum import Health

NOSPACE = "NOSPACE"
"""The alarm of a full data file: the cluster takes no writes, and goes on reading."""

CORRUPT = "CORRUPT"
"""The alarm of data that differs between members. Whom it names need not be the one that differs:
a leader names others, and newer ones name nobody where there is no majority.
"""

_NOT_ASKED = Fault(FaultKind.SKIPPED, "It was not asked: no address is known for it.")


@dataclass(frozen=True, slots=True)
class Seen:
    """One member: its row in the member list, what it said itself, and what follows.

    `listed` is None where no list was to be had; `probe` is None where nobody could be asked.
    """

    name: str
    listed: ListedMember | None
    probe: MemberProbe | None
    health: Health
    why: str | None

    @property
    def status(self) -> Status | None:
        """The member's own status, if it told one."""
        return self.probe.status if self.probe and isinstance(self.probe.status, Status) else None


@dataclass(frozen=True, slots=True)
class View:
    """A cluster at one moment. `listed` tells whether anybody gave a member list."""

    seen: tuple[Seen, ...]
    strangers: tuple[MemberProbe, ...]
    alarms: tuple[Alarm, ...]
    listed: bool
    leader: MemberId | None
    quorum_proven: bool

    @property
    def members(self) -> tuple[quorum.Member, ...]:
        """The members as the rules see them."""
        return tuple(
            quorum.Member(
                id=_id(seen),
                name=seen.name,
                health=seen.health,
                learner=bool(seen.listed and seen.listed.learner),
                started=seen.listed is None or seen.listed.started,
                leader=_id(seen) == self.leader,
            )
            for seen in self.seen
        )

    @property
    def voters(self) -> tuple[Seen, ...]:
        """The members that vote; all expected ones where no list was to be had."""
        return tuple(seen for seen in self.seen if not (seen.listed and seen.listed.learner))

    def statuses(self) -> tuple[tuple[Seen, Status], ...]:
        """The members that told their status, with it."""
        return tuple((seen, seen.status) for seen in self.seen if seen.status is not None)


def look_at(cluster: Cluster, sample: Sample) -> View:
    """Put a sample together: who is a member, how each one is, and who leads.

    Where probes led to several clusters, the one to which most of them led is meant; what the
    others said is no word about it.
    """
    foreign = _foreign(sample.probes)
    own = [probe for probe in sample.probes if probe not in foreign]
    probes = _one_per_member(own)
    listing = _listing(probes)
    alarms = tuple(
        dict.fromkeys(
            alarm for probe in own if isinstance(probe.alarms, tuple) for alarm in probe.alarms
        )
    )
    if listing is None:
        seen = tuple(_expected(probe, alarms) for probe in probes if probe.expected)
        strangers: tuple[MemberProbe, ...] = ()
    else:
        matched = [(row, _probe_of(row, listing, probes)) for row in listing]
        seen = tuple(_listed(cluster, row, probe, alarms) for row, probe in matched)
        used = [probe.endpoint for _, probe in matched if probe]
        strangers = tuple(probe for probe in probes if probe.endpoint not in used)
    return View(
        seen=tuple(sorted(seen, key=lambda member: member.name)),
        strangers=(*strangers, *foreign),
        alarms=alarms,
        listed=listing is not None,
        leader=_leader(own),
        quorum_proven=any(
            isinstance(probe.read, Read) and probe.read.linearizable for probe in own
        ),
    )


def overlooking(view: View, alarm: str) -> View:
    """The same picture, with members healthy against whom nothing speaks but this one alarm."""
    others = {each.member_id for each in view.alarms if each.kind != alarm}

    def look_over(seen: Seen) -> Seen:
        if seen.health is not Health.ALARMED or _id(seen) in others:
            return seen
        return replace(seen, health=Health.HEALTHY, why=None)

    return replace(view, seen=tuple(look_over(seen) for seen in view.seen))


def unasked(cluster: Cluster, sample: Sample) -> tuple[str, ...]:
    """Client URLs of listed members that none of the configured endpoints led to."""
    foreign = _foreign(sample.probes)
    own = [probe for probe in sample.probes if probe not in foreign]
    listing = _listing(own) or ()
    return tuple(
        row.client_urls[0]
        for row in listing
        if row.client_urls
        and _probe_of(row, listing, own) is None
        and row.name not in cluster.endpoints
    )


def _listing(probes: Sequence[MemberProbe]) -> tuple[ListedMember, ...] | None:
    """Pick a member list: from a member that has quorum behind it, else from anyone."""
    with_quorum = [probe for probe in probes if isinstance(probe.read, Read)]
    for probe in (*with_quorum, *probes):
        if isinstance(probe.members, tuple) and probe.members:
            return probe.members
    return None


def _foreign(probes: Sequence[MemberProbe]) -> tuple[MemberProbe, ...]:
    """The probes that led to another cluster than most did."""
    told = [probe.status.cluster_id for probe in probes if isinstance(probe.status, Status)]
    if len(set(told)) < 2:
        return ()
    meant = max(sorted(set(told)), key=told.count)
    return tuple(
        probe
        for probe in probes
        if isinstance(probe.status, Status) and probe.status.cluster_id != meant
    )


def _one_per_member(probes: Iterable[MemberProbe]) -> tuple[MemberProbe, ...]:
    """Keep one probe of each member: several addresses may lead to the same one."""
    kept: dict[str, MemberProbe] = {}
    for probe in probes:
        key = probe.status.member_id if isinstance(probe.status, Status) else probe.endpoint
        if key not in kept or _worth(probe) > _worth(kept[key]):
            kept[key] = probe
    return tuple(kept.values())


def _worth(probe: MemberProbe) -> tuple[bool, bool]:
    return isinstance(probe.read, Read), probe.expected is not None


def _probe_of(
    row: ListedMember, listing: Sequence[ListedMember], probes: Sequence[MemberProbe]
) -> MemberProbe | None:
    """Find what a listed member said: by its id if it told one, else by address, else by name."""
    for probe in probes:
        if isinstance(probe.status, Status) and probe.status.member_id == row.id:
            return probe
    silent = [probe for probe in probes if isinstance(probe.status, Fault)]
    for probe in silent:
        if probe.endpoint in row.client_urls:
            return probe
    addresses = {url for other in listing for url in other.client_urls}
    for probe in silent:
        if probe.expected and probe.expected == row.name and probe.endpoint not in addresses:
            return probe
    return None


def _listed(
    cluster: Cluster, row: ListedMember, probe: MemberProbe | None, alarms: Sequence[Alarm]
) -> Seen:
    if not row.started:
        why = "It was added to the cluster and has never started."
        return Seen(_unstarted_name(cluster, row), row, probe, Health.DOWN, why)
    health, why_not = _health(probe, row.id, alarms)
    return Seen(row.name, row, probe, health, why_not)


def _expected(probe: MemberProbe, alarms: Sequence[Alarm]) -> Seen:
    member_id = probe.status.member_id if isinstance(probe.status, Status) else None
    health, why = _health(probe, member_id, alarms)
    return Seen(probe.expected or MemberName(probe.endpoint), None, probe, health, why)


def _health(
    probe: MemberProbe | None, member_id: MemberId | None, alarms: Sequence[Alarm]
) -> tuple[Health, str | None]:
    """R1: a member is healthy when it served its read and has no alarm."""
    fault = probe.read if probe else _NOT_ASKED
    if isinstance(fault, Fault):
        return (Health.DOWN if fault.kind.on_their_side else Health.UNKNOWN), fault.message
    raised = sorted(alarm.kind for alarm in alarms if alarm.member_id == member_id)
    if raised:
        return Health.ALARMED, f"alarm {', '.join(raised)}"
    return Health.HEALTHY, None


def _leader(probes: Iterable[MemberProbe]) -> MemberId | None:
    """Who leads, as the member with the newest term tells it."""
    told = [probe.status for probe in probes if isinstance(probe.status, Status)]
    known = [status for status in told if status.leader is not None]
    return max(known, key=lambda status: status.raft_term).leader if known else None


def _unstarted_name(cluster: Cluster, row: ListedMember) -> str:
    """Who is expected there, else what the configuration calls the host."""
    there = {_host(url) for url in row.peer_urls}
    expected = [str(name) for name, url in cluster.endpoints.items() if _host(url) in there]
    names = expected or [host.name for host in cluster.hosts if host.address in there]
    return names[0] if len(names) == 1 else row.id


def _host(url: str) -> str:
    return url.split("://", 1)[-1].rsplit(":", 1)[0].strip("[]")


def _id(seen: Seen) -> MemberId:
    if seen.listed:
        return seen.listed.id
    return seen.status.member_id if seen.status else MemberId(f"({seen.name})")
