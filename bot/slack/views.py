"""What a run looks like in Slack: pure functions from its state to a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot import words
from bot.slack.blocks import Block, View
from bot.slack.run_views import run_view
from bot.slack.text import MESSAGE, cut, escaped, shortened
from procedures.catalogue import PROCEDURES
from procedures.model.ids import UserId
from procedures.model.report import BackupsReport, HealthReport, HostsReport, MembersReport
from procedures.model.run import Run, State

# Slack refuses a message of more than about 12,000 characters in all its blocks together.
_TABLE_ROWS = 15
_CELL = 60
_LINES = 1_500
_DETAILS = 2_000
_ITEM = " · "
_YES = {True: "yes", False: "no", None: "unknown"}


def view(run: Run, people: Mapping[UserId, str]) -> View:
    """Show a run as it is now. `people` tells which accounts are one person's."""
    if run.request.command in PROCEDURES:
        return run_view(run, people)
    match run.answer:
        case HealthReport() as report:
            shown = _health(run, report)
        case BackupsReport() as report:
            shown = _backups(run, report)
        case MembersReport() as report:
            shown = _members(run, report)
        case HostsReport() as report:
            shown = _hosts(run, report)
        case None:
            shown = _waiting(run)
    return shown if run.error is None else _with_error(run, shown)


def _waiting(run: Run) -> View:
    name = run.request.cluster
    if run.state is State.RUNNING:
        doing = "checking, no answer yet"
        if run.attempts > 1:
            doing = f"checking again, attempt {run.attempts}: the worker before was lost"
    else:
        doing = "checking, waiting for a worker to take it up"
    text = f"{name}: {doing}"
    return View(text, (_section(text),), _metadata(run, "checking"))


def _health(run: Run, report: HealthReport) -> View:
    advice = words.safe_now(report.advice)
    trouble = words.troubles(report)
    lines = [report.headline, advice, *trouble]
    blocks = [_section(f"*{escaped(report.headline)}*"), _section(escaped(advice))]
    if trouble:
        blocks.append(_section(_escaped_lines(trouble)))
    blocks.append(_health_table(report))
    if report.samples > 1:
        blocks.append(_context(escaped(_ITEM.join(words.details(report))), _ITEM))
        if hosts := words.host_details(report):
            blocks.append(_context(escaped(f"Hosts: {_ITEM.join(hosts)}"), _ITEM))
        if unknown := words.unknowns(report):
            blocks.append(_context(escaped(unknown)))
    blocks.append(_context(_asked_by(run)))
    text = cut(_escaped_lines(lines), MESSAGE)
    return View(text, tuple(blocks), _metadata(run, report.verdict))


def _health_table(report: HealthReport) -> Block:
    head = ("Member", "State", "Role", "Read, ms", "Version", "DB", "Term/index")
    rows = [
        (row.name, row.health, row.role, row.read_ms, row.version, row.db, row.raft)
        for row in report.rows
    ]
    return _table(head, rows)


def _backups(run: Run, report: BackupsReport) -> View:
    head = ("Taken", "Size", "Revision", "Keys", "State", "Name")
    rows = [
        (
            words.moment(row.taken_at_ms),
            f"{row.size:,}",
            str(row.revision),
            str(row.total_keys),
            words.backup_state(row),
            row.name,
        )
        for row in report.rows
    ]
    blocks = [_section(f"*{escaped(report.headline)}*")]
    if rows:
        blocks.append(_table(head, rows))
    if report.unread:
        blocks.append(_context(f"{report.unread} older ones were not read again"))
    if rows:
        blocks.append(_context(escaped(words.drill_line(report))))
    blocks.append(_context(_asked_by(run)))
    text = cut(_escaped_lines([report.headline, *words.backup_lines(report)]), MESSAGE)
    return View(text, tuple(blocks), _metadata(run, "listed"))


def _members(run: Run, report: MembersReport) -> View:
    head = ("Member", "Id", "Role", "Expected", "Peer URLs", "Client URLs", "Note")
    rows = [
        (
            row.name,
            row.id,
            row.role,
            _YES[row.expected],
            " ".join(row.peer_urls),
            " ".join(row.client_urls) or "none",
            row.note or "none",
        )
        for row in report.rows
    ]
    blocks = [_section(f"*{escaped(report.headline)}*")]
    if rows:
        blocks.append(_table(head, rows))
    notes = [f"warning: {note}" for note in report.notes]
    if notes:
        blocks.append(_section(_escaped_lines(notes)))
    blocks.append(_context(_asked_by(run)))
    text = cut(_escaped_lines([report.headline, *words.member_lines(report)]), MESSAGE)
    return View(text, tuple(blocks), _metadata(run, "listed"))


def _hosts(run: Run, report: HostsReport) -> View:
    lines = words.host_lines(report)
    blocks = (
        _section(f"*{escaped(report.headline)}*"),
        _section(_escaped_lines(lines)),
        _context(_asked_by(run)),
    )
    text = cut(_escaped_lines([report.headline, *lines]), MESSAGE)
    return View(text, blocks, _metadata(run, "listed"))


def _with_error(run: Run, shown: View) -> View:
    """A run that ended otherwise: its words first, and beneath what was learnt before."""
    first = f"{run.request.cluster}: {run.state.lower()}, {run.error}"
    text = escaped(f"{first} (/{run.request.command}, run {run.id})")
    earlier = shown.blocks if run.answer is not None else (_context(_asked_by(run)),)
    return View(cut(text, MESSAGE), (_section(text), *earlier), _metadata(run, run.state.lower()))


def _metadata(run: Run, verdict: str) -> dict[str, Any]:
    return {
        "event_type": "quorumbot_answer",
        "event_payload": {
            "command": run.request.command,
            "cluster": run.request.cluster,
            "verdict": str(verdict),
        },
    }


def _asked_by(run: Run) -> str:
    at = run.requested_at_ms // 1000
    return (
        f"`/{run.request.command}` asked by <@{run.request.requester.user}> "
        f"<!date^{at}^{{time_secs}}|at {at} s UTC> · run {run.id}"
    )


def _escaped_lines(lines: Sequence[str]) -> str:
    return "\n".join(escaped(line) for line in lines)


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(cut(text, _LINES))}


def _context(text: str, separator: str = ", ") -> Block:
    return {"type": "context", "elements": [_mrkdwn(cut(text, _DETAILS, separator))]}


def _mrkdwn(text: str) -> Block:
    # verbatim: Slack makes no links and no mentions of what merely looks like one.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Block:
    shown = [head, *rows[:_TABLE_ROWS]]
    if len(rows) > _TABLE_ROWS:
        shown.append([f"and {len(rows) - _TABLE_ROWS} more", *(" " for _ in head[1:])])
    cells = [
        [{"type": "raw_text", "text": shortened(cell, _CELL)} for cell in row] for row in shown
    ]
    return {"type": "table", "rows": cells}
