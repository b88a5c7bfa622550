"""Answers as lines of plain text, for messages and for terminals alike."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from procedures.model.inventory import Cluster
from procedures.model.report import (
    Advice,
    BackupRow,
    BackupsReport,
    Figure,
    HealthReport,
    HostsReport,
    Level,
    ListedRow,
    MembersReport,
)


def safe_now(advice: Sequence[Advice]) -> str:
    """One line: each kind of change, and whether it is safe."""
    sentences = (
        f"{each.change.capitalize()}? {each.text[0].upper()}{each.text[1:]}." for each in advice
    )
    return f"Safe now: {' '.join(sentences)}"


def troubles(report: HealthReport) -> list[str]:
    """Figures that are not as they should be, the worst first."""
    figures = (*report.figures, *report.hosts)
    bad = [f for f in figures if f.level in {Level.CRITICAL, Level.WARN}]
    bad += [f for f in figures if f.level is Level.UNKNOWN and f.counts]
    bad.sort(key=lambda figure: figure.level is not Level.CRITICAL)
    return [f"{_word(figure.level)}: {_named(figure)}" for figure in bad]


def details(report: HealthReport) -> list[str]:
    """All other figures, one line for each name; of many alike, the first and how many."""
    return fine(report.figures, "members")


def host_details(report: HealthReport) -> list[str]:
    """The same of hosts."""
    return fine(report.hosts, "hosts")


def fine(all_figures: Iterable[Figure], of_many: str) -> list[str]:
    """Figures that are as they should be, one line for each name."""
    lines = []
    for name, figures in _by_name(all_figures, {Level.OK, Level.INFO}):
        texts = list(dict.fromkeys(figure.text for figure in figures))
        if len(texts) == 1:
            everyone = f" ({len(figures)} {of_many})" if len(figures) > 1 else ""
            lines.append(f"{name}: {texts[0]}{everyone}")
        else:
            lines.append(f"{name}: " + "; ".join(_of_member(figure) for figure in figures))
    return lines


def unknowns(report: HealthReport) -> str | None:
    """What was not learnt, and why, in one line."""
    parts = []
    for name, figures in _by_name((*report.figures, *report.hosts), {Level.UNKNOWN}):
        unjudged = [figure for figure in figures if not figure.counts]
        if unjudged:
            reasons = list(dict.fromkeys(figure.text.rstrip(".") for figure in unjudged))
            shown = (
                reasons[0] if len(reasons) == 1 else f"{reasons[0]}, and {len(reasons) - 1} more"
            )
            parts.append(f"{name} ({shown})")
    return f"unknown: {', '.join(parts)}" if parts else None


def table(report: HealthReport) -> list[str]:
    """The rows in columns, for a fixed-width font."""
    rows = [("member", "state", "role", "read ms", "version", "db", "term/index")]
    rows += [
        (row.name, row.health, row.role, row.read_ms, row.version, row.db, row.raft)
        for row in report.rows
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def moment(at_ms: int) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def backup_state(row: BackupRow) -> str:
    """Whether a backup is as it was stored."""
    if row.fault:
        return f"broken: {row.fault}"
    return "verified again" if row.quorum else "verified again, taken without quorum"


def backup_lines(report: BackupsReport) -> list[str]:
    """One line for each backup, the newest first, and how many were not read again."""
    lines = [
        f"{moment(row.taken_at_ms)}  {row.size:,} bytes  revision {row.revision}  "
        f"{row.total_keys} keys  {backup_state(row)}  {row.name}"
        for row in report.rows
    ]
    if report.unread:
        lines.append(f"and {report.unread} older ones, not read again")
    return [*lines, drill_line(report)] if report.rows else lines


def drill_line(report: BackupsReport) -> str:
    """When a snapshot was last restored to try it, and what came of it."""
    drill = report.drill
    if drill is None:
        return "no drill yet: /etcd drill tries whether a snapshot can be restored"
    what = f"failed: {drill.fault}" if drill.fault else f"restored and served, {drill.keys} keys"
    return f"last drill {moment(drill.at_ms)} of {drill.snapshot}: {what}"


def member_lines(report: MembersReport) -> list[str]:
    """One line for each listed member, then what differs from what is expected."""
    lines = [
        f"{row.name}  {row.id}  {row.role}  {expectation(row)}  peer {' '.join(row.peer_urls)}  "
        f"client {' '.join(row.client_urls) or 'none'}{f'  ({row.note})' if row.note else ''}"
        for row in report.rows
    ]
    return [*lines, *(f"warning: {note}" for note in report.notes)]


def host_lines(report: HostsReport) -> list[str]:
    """One line for each figure, what is wrong or unknown first."""
    figures = sorted(report.figures, key=lambda figure: figure.level in _FINE)
    return [
        _named(figure) if figure.level in _FINE else f"{_word(figure.level)}: {_named(figure)}"
        for figure in figures
    ]


_FINE = frozenset({Level.OK, Level.INFO})


def expectation(row: ListedRow) -> str:
    """Whether a listed member is expected."""
    return {True: "expected", False: "not expected", None: "unknown"}[row.expected]


def clusters(known: Iterable[Cluster]) -> list[str]:
    """One line for each cluster: what it is, and who approves changes to it."""
    return [
        f"{cluster.name}: {cluster.platform}, {len(cluster.endpoints)} members, "
        f"site {cluster.site}; {_approval(cluster)}"
        for cluster in known
    ]


def _approval(cluster: Cluster) -> str:
    who = cluster.approvers
    if who.group is None and not who.users:
        return "nobody may approve changes"
    by = f"members of the group {who.group}" if who.group else f"{len(who.users)} people"
    policy = cluster.policy
    return (
        f"changes are approved by {by}: {policy.reversible} for a reversible one, "
        f"{policy.disruptive} for a disruptive one, {policy.destructive} for a destructive one"
    )


def _by_name(figures: Iterable[Figure], levels: set[Level]) -> list[tuple[str, list[Figure]]]:
    grouped: dict[str, list[Figure]] = {}
    for figure in figures:
        if figure.level in levels:
            grouped.setdefault(figure.name, []).append(figure)
    return list(grouped.items())


def _named(figure: Figure) -> str:
    what = figure.text if figure.name in {"member", "host"} else f"{figure.name}: {figure.text}"
    if figure.member is None or what.startswith(figure.member):
        return what
    return f"{figure.member}: {what}"


def _of_member(figure: Figure) -> str:
    return f"{figure.member} {figure.text}" if figure.member else figure.text


def _word(level: Level) -> str:
    return {Level.CRITICAL: "critical", Level.WARN: "warning"}.get(level, "unknown")
