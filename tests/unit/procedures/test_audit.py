"""Heads of the audit log: how they are written, and when one is published."""

import pytest

from procedures.model.audit import DAY_MS, Head, Published, is_due

HASH = "0123456789abcdef" * 4
NOW_MS = 1_700_000_000_000


def test_a_head_is_read_as_it_was_written() -> None:
    """Also with white space from copying."""
    assert Head.parse(str(Head(42, HASH))) == Head(42, HASH)
    assert Head.parse(f" 42:{HASH}\n") == Head(42, HASH)


@pytest.mark.parametrize(
    "text", ["", "42", f"0:{HASH}", f"-1:{HASH}", f"1:{HASH[1:]}", f"1:{HASH.upper()}", f"²:{HASH}"]
)
def test_what_is_no_head(text: str) -> None:
    """It is said what one looks like."""
    with pytest.raises(ValueError, match="INDEX:HASH"):
        Head.parse(text)


@pytest.mark.parametrize(
    ("last", "age_ms", "wanted", "due"),
    [
        (None, 0, 0, True),
        (Head(5, HASH), DAY_MS * 9, 5, False),
        (Head(4, HASH), DAY_MS - 1, 4, False),
        (Head(4, HASH), DAY_MS, 4, True),
        (Head(4, HASH), 0, 5, True),
    ],
)
def test_when_a_head_is_published(last: Head | None, age_ms: int, wanted: int, due: bool) -> None:
    """The first, a wanted one, and one each day; the same head never again."""
    published = Published(last, NOW_MS - age_ms, wanted)
    assert is_due(Head(5, HASH), published, NOW_MS) is due
