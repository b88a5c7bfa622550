"""Moments and spans of time in words."""

from datetime import UTC, datetime


def iso(ms: int | None) -> str | None:
    """A moment for scripts, as ISO 8601 in UTC."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(ms: int) -> str:
    """A moment for people, to the minute."""
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def instant(ms: int) -> str:
    """A moment for people, to the second."""
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def time_of_day(ms: int) -> str:
    """A moment of today for people, to the minute."""
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%H:%M UTC")


def span(ms: int) -> str:
    """How long something took or lasts, in the largest unit of which it is at least one."""
    seconds = max(0, ms) // 1_000
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
