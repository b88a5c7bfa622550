"""Text as people, phones and attackers type it: for fuzzing the grammar."""

from hypothesis import strategies as st

_COMMANDS = ("health", "members", "help", "demo", "prod", "--cluster", "--cluster=", "—cluster")
_SLACK = ("<@U123|bob>", "<!channel>", "<#C1|ops>", "<https://a:1|a:1>", "&amp;", "&lt;!here&gt;")
_MARKS = tuple("\"'“”„‘’«»=<>|&-— \t\n\u202e\x00")

_pieces = st.sampled_from((*_COMMANDS, *_SLACK, *_MARKS)) | st.text(max_size=8)

typed_text = st.lists(_pieces, max_size=30).map("".join)
"""Pieces that mean something to the grammar, in any order, between pieces that do not."""
