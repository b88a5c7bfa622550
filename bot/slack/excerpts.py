"""A run's output for people: excerpts that fit a message, and the whole of it as a file."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from bot.ports import Line
from bot.slack.text import literal, shortened

EXCERPT = 2_500
"""Characters of an excerpt."""

_ROOM = EXCERPT - 250
"""What remains for lines beside the words about them."""

_LINE = 800
_FENCE = "```"


_Row: TypeAlias = Line | int
"""A row of an excerpt: a line, or how many lines are missing."""


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
    body = [*map(_shown, rows[:begin]), *_left_out(rows[begin:end]), *map(_shown, rows[end:])]
    return "\n".join([head, _FENCE, *body, _FENCE])


def log_text(lines: Sequence[Line]) -> str:
    """The whole log: each line with its time and step; how many were not kept is said."""
    return "".join(f"{row}\n" for row in _log_rows(lines))


def _rows(lines: Sequence[Line], first: int) -> Iterator[_Row]:
    due = first
    for line in lines:
        if line.seq > due:
            yield line.seq - due
        yield line
        due = line.seq + 1


def _fitting(rows: Sequence[_Row], room_before: int) -> tuple[int, int]:
    """Which rows are left out: those from the first number up to the second.

    There may be very many rows: no more of them are looked at than fit.
    """
    begin = _count(rows, _ROOM)
    if begin == len(rows):
        return begin, begin
    return _count(rows, room_before), len(rows) - _count(reversed(rows), _ROOM - room_before)


def _count(rows: Iterable[_Row], room: int) -> int:
    """How many rows fit, from the first on."""
    count = 0
    for row in rows:
        room -= len(_shown(row)) + 1
        if room < 0:
            break
        count += 1
    return count


def _left_out(rows: Sequence[_Row]) -> Iterator[str]:
    if rows:
        dropped = sum(row for row in rows if isinstance(row, int))
        text = f"… {sum(not isinstance(row, int) for row in rows):,} lines more, in the log"
        yield f"{text}; {dropped:,} were not kept" if dropped else text


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


def _shown(row: _Row) -> str:
    """A row as it may stand between fences; of a long line the beginning."""
    if isinstance(row, int):
        return _missing(row)
    text = literal(row.text[: _LINE + 1].expandtabs(4)).replace(_FENCE, "` ` `")
    return shortened(text, _LINE)
