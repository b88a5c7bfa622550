"""Figures that a cluster's members tell themselves: leader, raft, revision, space, versions."""

from collections.abc import Iterable, Mapping

from procedures.etcd.expected import known, missing
from procedures.etcd.fragmentation import MIB, free_percent, pays
from procedures.etcd.view import Seen, View
from procedures.model.inventory import Cluster
from procedures.model.probe import Fault, FaultKind, HashKv, Status, Versions
from procedures.model.quorum import Health
from procedures.model.report import Figure, Level

DEFAULT_QUOTA = 2 * 1024**3

_LAG_LIMIT = 5_000  # entries; the server itself refuses requests at an apply gap of 5,000
_APPLY_LIMIT = 1_000
_QUOTA_WARN, _QUOTA_CRITICAL = 75, 95  # per cent: OpenShift's alert, the etcd mixin's alert


def judged(view: View) -> list[Figure]:
    """Members that could not be judged, or are not healthy; each with why."""
    return [
        Figure(
            "member",
            Level.UNKNOWN if seen.health is Health.UNKNOWN else Level.WARN,
            seen.why or seen.health,
            member=seen.name,
        )
        for seen in view.seen
        if seen.health is not Health.HEALTHY
    ]


def inventory(cluster: Cluster, view: View) -> list[Figure]:
    """Differences between the member list and the expected members."""
    figures = record(cluster)
    if not view.listed:
        return [*figures, _unknown("member list", "no member gave one", counts=True)]
    figures += [
        _warn("member list", f"{name} is expected and not in it") for name in missing(cluster, view)
    ]
    expected = known(cluster, view)
    for seen in view.seen:
        row = seen.listed
        if row and row.id not in expected:
            figures.append(_warn("member list", f"{seen.name} is in it and not expected"))
        if row and row.learner:
            figures.append(
                Figure("learner", Level.INFO, "has no vote yet", member=seen.name, counts=False)
            )
    figures += [
        _warn("member list", f"{probe.endpoint} answers, and is no member")
        for probe in view.strangers
        if isinstance(probe.status, Status)
    ]
    return figures or [_ok("member list", "as expected")]


def record(cluster: Cluster) -> list[Figure]:
    """Tell where the record of expected members is not believed, and what counts instead."""
    if (why := cluster.expected.fault) is None:
        return []
    text = (
        f"not believed: {why}. The configuration counts. Find out who wrote to Redis, or whether "
        "it was restored, then say /etcd expect"
    )
    return [_warn("record of expected members", text)]


def distrust(view: View, figures: Iterable[Figure]) -> str | None:
    """R16: why the members' data cannot be trusted, so that nothing may be changed."""
    corrupt = [alarm for alarm in view.alarms if alarm.kind == "CORRUPT"]
    if corrupt:
        return "a member has raised the alarm CORRUPT"
    for figure in figures:
        if figure.level is Level.CRITICAL and figure.name in {"HashKV", "cluster id"}:
            return "members do not have the same data"
    return None


def leader(view: View) -> list[Figure]:
    """Leader, term and cluster id: all members must tell the same."""
    told = view.statuses()
    if not told:
        return []
    figures = []
    leaders = {status.leader for _, status in told if status.leader}
    names = {member.id: member.name for member in view.members}
    if not leaders:
        figures.append(Figure("leader", Level.CRITICAL, "no member knows one"))
    elif len(leaders) > 1:
        listed = ", ".join(sorted(names.get(each, each) for each in leaders))
        figures.append(_warn("leader", f"members name different ones: {listed}"))
    else:
        figures.append(_ok("leader", names.get(*leaders, *leaders)))
    terms = {status.raft_term for _, status in told}
    figures.append(
        _ok("term", str(*terms))
        if len(terms) == 1
        else _warn("term", f"differs: {_each((seen, status.raft_term) for seen, status in told)}")
    )
    own = told[0][1].cluster_id
    strangers = [
        f"{probe.expected or probe.endpoint} {probe.status.cluster_id}"
        for probe in view.strangers
        if isinstance(probe.status, Status) and probe.status.cluster_id != own
    ]
    figures.append(
        Figure("cluster id", Level.CRITICAL, f"{own}, but of {', '.join(strangers)} (R16)")
        if strangers
        else _ok("cluster id", own)
    )
    return figures


def raft(first: View, second: View) -> list[Figure]:
    """Members that fall behind: in the log, in applying it, in revision."""
    figures = []
    before = {seen.name: status for seen, status in first.statuses()}
    told = second.statuses()
    ahead = max((status.raft_index for _, status in told), default=0)
    newest_then = max((status.revision for status in before.values()), default=0)
    for seen, status in told:
        lag = ahead - status.raft_index
        if lag > _LAG_LIMIT:
            figures.append(_warn("raft lag", f"{lag:,} entries behind", seen.name))
        was = before.get(seen.name)
        gap = status.raft_index - status.raft_applied_index
        if was and gap > max(_APPLY_LIMIT, was.raft_index - was.raft_applied_index):
            figures.append(_warn("applied lag", f"{gap:,} entries, and growing", seen.name))
        if was and status.revision < newest_then:
            figures.append(
                _warn(
                    "revision",
                    f"{status.revision:,}, has not reached {newest_then:,} since the first sample",
                    seen.name,
                )
            )
    if told and not figures:
        spread = max(s.revision for _, s in told) - min(s.revision for _, s in told)
        figures.append(_ok("raft", f"nobody is behind, revisions within {spread:,}"))
    return figures


def hashes(view: View, told: Mapping[str, HashKv | Fault]) -> list[Figure]:
    """HashKV of all members at one revision. Unequal hashes mean unequal data."""
    known: list[tuple[Seen, HashKv]] = []
    missing: list[str] = []
    skipped = None
    for seen in view.voters:  # a learner refuses to hash
        result = told.get(seen.probe.endpoint) if seen.probe else None
        if isinstance(result, HashKv):
            known.append((seen, result))
        elif isinstance(result, Fault) and result.kind is FaultKind.SKIPPED:
            skipped = result.message
        else:
            missing.append(seen.name)
    if skipped:
        return [_unknown("HashKV", skipped)]
    if len(known) < min(2, len(view.voters)):
        return [_unknown("HashKV", "too few members gave one to compare", counts=True)]
    revision = known[0][1].revision
    if len({result.compact_revision for _, result in known}) > 1:
        return [_unknown("HashKV", "not comparable: a compaction ran in between", counts=True)]
    if len({result.hash for _, result in known}) > 1:
        each = _each((seen, f"{result.hash:08x}") for seen, result in known)
        return [
            Figure("HashKV", Level.CRITICAL, f"data differs at revision {revision:,} (R16): {each}")
        ]
    equal = f"equal at revision {revision:,} on {len(known)} of {len(view.voters)} members"
    if missing:
        return [_unknown("HashKV", f"{equal}; not known: {', '.join(missing)}", counts=True)]
    return [_ok("HashKV", equal)]


def space(view: View, quotas: Mapping[str, int]) -> list[Figure]:
    """Database size against quota, and fragmentation. `quotas` is by member, in bytes."""
    figures = []
    for seen, status in view.statuses():
        quota = status.quota or quotas.get(seen.name) or DEFAULT_QUOTA
        assumed = "" if status.quota or seen.name in quotas else " (the default, assumed)"
        percent = status.db_size * 100 // quota
        level = Level.OK
        if percent >= _QUOTA_WARN:
            level = Level.CRITICAL if percent >= _QUOTA_CRITICAL else Level.WARN
        size = f"{status.db_size / MIB:.1f} MiB is {percent} % of {quota / MIB:,.0f} MiB{assumed}"
        figures.append(Figure("quota", level, size, member=seen.name))
        free = free_percent(status)
        if pays(status):
            figures.append(_warn("fragmentation", f"{free} % of the file is free", seen.name))
        else:
            figures.append(_ok("fragmentation", f"{free} %", seen.name))
    return figures


def alarms(view: View) -> list[Figure]:
    """Alarms, and the errors that members report of themselves."""
    names = {member.id: member.name for member in view.members}
    figures = [
        Figure(
            "alarm",
            Level.CRITICAL,
            alarm.kind,
            member=names.get(alarm.member_id, alarm.member_id),
        )
        for alarm in view.alarms
    ]
    figures += [
        Figure("error", Level.CRITICAL, error, member=seen.name)
        for seen, status in view.statuses()
        for error in status.errors
    ]
    if figures:
        return figures
    if any(seen.probe and isinstance(seen.probe.alarms, tuple) for seen in view.seen):
        return [_ok("alarms", "none")]
    return [_unknown("alarms", "no member told them", counts=True)]


def versions(view: View, told: Mapping[str, Versions | Fault]) -> list[Figure]:
    """Version skew between members, and between servers and the cluster."""
    servers = {status.version for _, status in view.statuses()}
    if not servers:
        return []
    if len(servers) > 1:
        each = _each((seen, status.version) for seen, status in view.statuses())
        return [_warn("version", f"differs: {each}")]
    known = [answer for answer in told.values() if isinstance(answer, Versions)]
    agreed = {_minor(answer.cluster) for answer in known}
    server = next(iter(servers))
    if agreed - {_minor(server)}:
        return [_warn("version", f"servers run {server}, the cluster is at {', '.join(agreed)}")]
    storage = {_minor(s.storage_version) for _, s in view.statuses() if s.storage_version}
    if storage - {_minor(server)}:
        return [_warn("version", f"servers run {server}, storage is at {', '.join(storage)}")]
    return [_ok("version", server)]


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _each(pairs: Iterable[tuple[Seen, object]]) -> str:
    return ", ".join(f"{seen.name} {value}" for seen, value in pairs)


def _ok(name: str, text: str, member: str | None = None) -> Figure:
    return Figure(name, Level.OK, text, member=member)


def _warn(name: str, text: str, member: str | None = None) -> Figure:
    return Figure(name, Level.WARN, text, member=member)


def _unknown(name: str, text: str, *, counts: bool = False) -> Figure:
    return Figure(name, Level.UNKNOWN, text, counts=counts)


def unlearnt(*, hosts: bool) -> list[Figure]:
    """Figures that nobody can give, because what they need is not there."""
    needs = (*_NEEDS, *(() if hosts else _NEED_HOSTS))
    return [_unknown(name, text) for name, text in needs]


_NEEDS = (("growth", "needs a history of sizes"),)
_NEED_HOSTS = (
    ("disk", "needs the hosts"),
    ("clock", "needs the hosts"),
    ("files", "certificates and configuration on disk need the hosts"),
)
