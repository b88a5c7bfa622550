"""Text as people, phones and attackers type it: for fuzzing the grammar."""

from hypothesis import strategies as st

_COMMANDS = ("health", "members", "help", "demo", "prod", "--cluster", "--cluster=", "—cluster")
_SLACK = ("<@U123|bob>", "<!channel>", "<#C1|ops>", "<https://a:1|a:1>", "&amp;", "&lt;!here&gt;")
_MARKS = tuple("\"'“”„‘’«»=<>|&-— \t\n")

_visible = (
    st.sampled_from((*_COMMANDS, *_SLACK, *_MARKS))
    | st.just(" ")
    | st.text(st.characters(exclude_categories=["C"]), max_size=8)
)
_anything = _visible | st.sampled_from(("\u202e", "\u200b", "\x00")) | st.text(max_size=8)


def _joined(pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(pieces, max_size=30).map("".join)


# An invisible character ends the matter at once: most texts have none, to come further.
typed_text = st.one_of(_joined(_visible), _joined(_visible), _joined(_visible), _joined(_anything))
"""Pieces that mean something to the grammar, in any order, between pieces that do not."""
