"""Secrets that overlap, repeat, contain or extend each other leave no remainder."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procedures.model.redaction.redactor import Redactor
from tests.unit.procedures.redaction.writings import cut, fed

small = st.text("ab", min_size=8, max_size=12)
pairs = st.lists(small, min_size=1, max_size=4, unique=True)


@pytest.mark.parametrize(
    ("secrets", "text", "output"),
    [
        (["abcdefgh"], "abcdefghabcdefgh", "[secret 0][secret 0]"),
        (["abcdefgh", "abcdefghijkl"], "abcdefghijkl abcdefghijk", "[secret 1] [secret 0]ijk"),
        (["abcdefghijkl", "cdefghij"], "abcdefghijkl xcdefghijx", "[secret 0] x[secret 1]x"),
        (["abcdefgh", "efghijklm"], "abcdefghijklm", "[secret 1]"),
        (["abcdefgh", "efghijkl", "ijklmnop"], "<abcdefghijklmnop>", "<[secret 0]>"),
        (["abcdefgh", "jklmnopq", "abcdefghijklmnopqr"], "abcdefghijklmnopqr", "[secret 2]"),
        (["efghijkl", "abcdefgh"], "abcdefghijkl", "[secret 0]"),
        (["same-value", "same-value"], "same-value", "[secret 0]"),
        (["aaaaaaaa"], "aaaaaaaaaaa", "[secret 0]"),
        (["aaaaaaaa"], "aaaaaaa", "aaaaaaa"),
        (["abcdefgh", "abcdefgX"], "abcdefgXabcdefgh", "[secret 1][secret 0]"),
    ],
)
def test_what_secrets_cover_together_gets_one_mark(
    secrets: Sequence[str], text: str, output: str
) -> None:
    """The mark names the longest of those that overlap; of equals, the first registered."""
    redactor = Redactor({str(at): value.encode() for at, value in enumerate(secrets)})
    assert redactor.text(text) == output
    assert fed(redactor, cut(text.encode(), [1])).decode() == output


@settings(deadline=None)
@given(pairs, st.text("ab", max_size=60), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_exactly_what_is_covered_goes(secrets: Sequence[str], text: str, cuts: list[int]) -> None:
    """Beside an obvious search for every place of every secret: no byte more, and none less."""
    redactor = Redactor({str(at): value.encode() for at, value in enumerate(secrets)})
    covered = [False] * len(text)
    starts = set()
    for value in secrets:
        for at in range(len(text)):
            if text.startswith(value, at):
                starts.add(at)
                covered[at : at + len(value)] = [True] * len(value)
    expected = "".join(" " if covered[at] else text[at] for at in range(len(text)))
    output = fed(redactor, cut(text.encode(), cuts)).decode()
    gaps = [gap for gap in expected.split(" ") if gap]
    found = output
    for number in range(len(secrets)):
        found = found.replace(f"[secret {number}]", " ")
    assert [gap for gap in found.split(" ") if gap] == gaps
    assert output.count("[") >= bool(starts)


def test_an_endless_chain_of_secrets_is_not_kept() -> None:
    """Secrets that overlap without end are one mark, and only the newest bytes are held."""
    redactor = Redactor({"s": b"abababab"})
    stream = redactor.stream()
    output = b""
    for _ in range(2_000):
        output += stream.feed(b"ab")
        assert stream.held < 10
    assert output == b""
    assert stream.feed(b" done") + stream.close() == b"[secret s] done"
