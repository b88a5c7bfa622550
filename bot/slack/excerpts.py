"""A run's output for people: excerpts that fit a message, and the whole of it as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.ports import Line
from bot.slack.text import literal, shortened

EXCERPT = 2_500
"""Characters of an excerpt."""

_ROOM = EXCERPT - 250
"""What remains for lines beside the words about them."""

_LINE = 800
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of an excerpt: a line, or words about lines that are missing."""

    text: str
    lines: int = 0
    dropped: int = 0


def excerpt(lines: Sequence[Line], first: int, *, latest: bool = False) -> str:
    """Lines for a message, as mrkdwn; those that do not fit are counted. Not for no lines.

    `first` is the number of the line that was to come first. Where not all fit, some of the first
    are shown and as many of the last as fit; with `latest` the last ones only.
    """
    rows = list(_rows(lines, first))
    begin, end = _fitting(rows, 0 if latest else _ROOM // 4)
    head = f"Output, line {lines[0].seq + 1:,}"
    if len(lines) > 1:
        head = f"Output, lines {lines[0].seq + 1:,} to {lines[-1].seq + 1:,}"
    body = [row.text for row in (*rows[:begin], *_left_out(rows[begin:end]), *rows[end:])]
    return "\n".join([head, _FENCE, *body, _FENCE])


def log_text(lines: Sequence[Line]) -> str:
    """The whole log: each line with its time and step; how many were not kept is said."""
    return "".join(f"{row}\n" for row in _log_rows(lines))


def _rows(lines: Sequence[Line], first: int) -> Iterator[_Row]:
    due = first
    for line in lines:
        if line.seq > due:
            yield _Row(_missing(line.seq - due), dropped=line.seq - due)
        yield _Row(_shown(line.text), lines=1)
        due = line.seq + 1


def _fitting(rows: Sequence[_Row], room_before: int) -> tuple[int, int]:
    """Which rows are left out: those from the first number up to the second."""
    if sum(_size(row) for row in rows) <= _ROOM:
        return len(rows), len(rows)
    begin, room = 0, room_before
    while _size(rows[begin]) <= room:
        room -= _size(rows[begin])
        begin += 1
    end, room = len(rows), _ROOM - room_before
    while _size(rows[end - 1]) <= room:
        room -= _size(rows[end - 1])
        end -= 1
    return begin, end


def _left_out(rows: Sequence[_Row]) -> Iterator[_Row]:
    if rows:
        text = f"… {sum(row.lines for row in rows):,} lines more, in the log"
        dropped = sum(row.dropped for row in rows)
        yield _Row(f"{text}; {dropped:,} were not kept" if dropped else text)


def _log_rows(lines: Sequence[Line]) -> Iterator[str]:
    due = 0
    for line in lines:
        if line.seq > due:
            yield _missing(line.seq - due)
        at = datetime.fromtimestamp(line.at_ms / 1_000, UTC).isoformat(timespec="milliseconds")
        yield f"{at.removesuffix('+00:00')}Z step {line.step}: {line.text}"
        due = line.seq + 1


def _missing(count: int) -> str:
    return f"… {count:,} lines were not kept: there were too many"


def _shown(text: str) -> str:
    """A line as it may stand between fences."""
    return shortened(literal(text.expandtabs(4)).replace(_FENCE, "` ` `"), _LINE)


def _size(row: _Row) -> int:
    return len(row.text) + 1
