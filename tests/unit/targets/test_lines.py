"""From bytes to lines: nothing is lost, however the bytes come."""

from hypothesis import given
from hypothesis import strategies as st

from bot.targets.ssh.lines import LINE_BYTES, Lines


def cut(data: bytes, sizes: list[int]) -> tuple[list[str], int]:
    """Feed in chunks of these sizes; gives the lines, and how much of it they are."""
    lines, at = Lines(0), 0
    said: list[str] = []
    for size in [*sizes, len(data)]:
        said += lines.feed(data[at : at + size])
        at += size
    taken = lines.taken
    assert taken + lines.waiting == len(data)
    said += lines.end()
    assert lines.taken == len(data)
    return said, taken


@given(st.text(alphabet="aü\n\r", max_size=200), st.lists(st.integers(1, 9), max_size=40))
def test_how_it_comes_does_not_matter(text: str, sizes: list[int]) -> None:
    """The same lines as when it comes at once; counted are whole lines only."""
    data = text.encode()
    said, taken = cut(data, sizes)
    assert said == cut(data, [])[0]
    assert (
        said
        == [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")][: len(said)]
    )
    assert taken == data.rfind(b"\n") + 1


@given(st.lists(st.integers(1, 200_000), max_size=5), st.integers(0, 3))
def test_long_lines_are_cut_between_characters(sizes: list[int], shift: int) -> None:
    """No part is longer than the limit, and no character is torn."""
    text = "x" * shift + "€" * 60_000
    said, _ = cut(f"{text}\n".encode(), sizes)
    assert "".join(said) == text
    assert max(len(line.encode()) for line in said) <= LINE_BYTES


def test_what_is_no_text_can_be_read() -> None:
    """It is written as what it is."""
    assert cut(b"a\xff\xfeb\nc\x00", []) == (["a\\xff\\xfeb", "c\x00"], 5)
