"""What a run looks like in Slack: pure functions from its state to a message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot import words
from bot.slack.text import MESSAGE, cut, escaped, shortened
from procedures.model.canonical import canonical, digest
from procedures.model.inventory import Cluster
from procedures.model.report import HealthReport, MembersReport
from procedures.model.run import Run, State

Block: TypeAlias = dict[str, Any]

# Slack refuses a message of more than about 12,000 characters in all its blocks together.
_TABLE_ROWS = 15
_CELL = 60
_LINES = 1_500
_DETAILS = 2_000
_ITEM = " · "


@dataclass(frozen=True, slots=True)
class View:
    """A message: text for notifications and screen readers, blocks for eyes, metadata for tools."""

    text: str
    blocks: tuple[Block, ...]
    metadata: dict[str, Any]

    @property
    def digest(self) -> str:
        """Changes whenever the message does."""
        return digest(canonical({"text": self.text, "blocks": self.blocks, "m": self.metadata}))


def view(run: Run) -> View:
    """Show a run as it is now."""
    match run.answer:
        case HealthReport() as report:
            shown = _health(run, report)
        case MembersReport() as report:
            shown = _members(run, report)
        case None:
            shown = _waiting(run)
    return shown if run.error is None else _with_error(run, shown)


def clusters_text(known: Sequence[Cluster]) -> str:
    """The answer to `/ops clusters`."""
    lines = words.clusters(known)
    return "\n".join(lines) if lines else "No cluster may be asked about from this channel."


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


def _members(run: Run, report: MembersReport) -> View:
    head = ("Member", "Id", "Role", "Peer URLs", "Client URLs", "Note")
    rows = [
        (
            row.name,
            row.id,
            row.role,
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
