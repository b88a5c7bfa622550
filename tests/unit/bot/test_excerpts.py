"""Excerpts of output: short, and nothing is left out unsaid."""

import re
from dataclasses import dataclass
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.excerpts import EXCERPT, excerpt, log_text


@dataclass(frozen=True)
class Said:
    seq: int
    text: str
    step: int = 1
    at_ms: int = 1_700_000_000_123


MORE = re.compile(r"^… ([\d,]+) lines more, in the log(?:; ([\d,]+) were not kept)?$", re.MULTILINE)
MISSING = re.compile(r"^… ([\d,]+) lines were not kept", re.MULTILINE)
TEXT = st.text(alphabet=st.characters(exclude_characters="…\n", exclude_categories=["Cs"]))
LINES = st.lists(st.tuples(TEXT, st.integers(0, 3)), min_size=1, max_size=400)


def numbered(given: list[tuple[str, int]], first: int = 0) -> list[Said]:
    """Lines with as many missing before each as its number says."""
    lines = []
    for text, missing in given:
        first += missing
        lines.append(Said(first, text))
        first += 1
    return lines


@given(LINES, st.integers(0, 5_000), st.booleans())
def test_every_line_is_shown_or_counted(
    given: list[tuple[str, int]], first: int, latest: bool
) -> None:
    """Lines and gaps add up, within what a message may hold."""
    lines = numbered(given, first)
    text = excerpt(lines, first, latest=latest)
    assert len(text) <= EXCERPT
    head, fence, *body, last = text.split("\n")
    assert head.startswith("Output, line")
    assert (fence, last) == ("```", "```")
    more = [int(n.replace(",", "")) for found in MORE.findall(text) for n in found if n]
    counted = sum(more[:1])
    words = sum(row.startswith("… ") for row in body)
    assert len(body) - words + counted == len(lines)
    gaps = sum(int(n.replace(",", "")) for n in MISSING.findall(text)) + sum(more[1:])
    assert gaps == sum(missing for _, missing in given)


def test_the_beginning_and_the_end_are_shown() -> None:
    """Of too many lines the first and the last; only the last ones where that is wanted."""
    lines = [Said(n, f"line {n}") for n in range(1_000)]
    text = excerpt(lines, 0)
    assert "line 0\n" in text
    assert "line 999\n" in text
    assert "lines 1 to 1,000" in text
    assert "line 0\n" not in excerpt(lines, 0, latest=True)


def test_a_line_stays_between_the_fences() -> None:
    """Whatever it says; tabs are spaces, and what cannot be seen is shown."""
    text = excerpt([Said(0, "a```b\tc <!channel> \x1b[0m")], 0)
    assert text.count("```") == 2
    assert "<!channel>" in unescape(text)
    assert "<!channel>" not in text
    assert "a` ` `b" in text
    assert "U+001B" in text


def test_the_log_has_every_line_as_it_is() -> None:
    """With its time and its step; what was not kept is counted in its place."""
    text = log_text([Said(0, "one <&>"), Said(5, "two", step=2)])
    assert text.splitlines() == [
        "2023-11-14T22:13:20.123Z step 1: one <&>",
        "… 4 lines were not kept: there were too many",
        "2023-11-14T22:13:20.123Z step 2: two",
    ]
    assert log_text([]) == ""
