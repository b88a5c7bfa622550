"""Properties of a stream over any secrets, any surroundings and any cuts."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from procedures.model.errors import UsageError
from procedures.model.redaction.redactor import Redactor, objection
from tests.unit.procedures.redaction.writings import (
    WRAPS,
    cut,
    fed,
    visible,
    wrapped,
    writings,
)

# A busy machine is no fault of the redaction's.
patient = settings(deadline=None)

FRAGMENTS = (
    *("password", "Passwd:", "token", "secret", "access", "key", "_", "-", "--", "--user"),
    *("--docker-", "=", ":", "=>", " ", "  ", "\t", "\n", "\r\n", '"', "'", "\\", '\\"', "\\\\\\"),
    *("bearer ", "Bearer", "Authorization", "Basic ", "xoxb-", "xapp-", "eyJhbGciOiJI", "eyJ"),
    *(".", "://", "http://", "u:", "@", "host", "/", "a", "bc", "7", "12", ",", "}", "]", ";", "|"),
    *("-----BEGIN ", "RSA ", "PRIVATE KEY", "-----", "-----BEGIN EC PRIVATE KEY-----", "MIIE" * 12),
    *("-----END EC PRIVATE KEY-----", "two words\n", "LS0tLS1CRUdJTiBSU0EgUFJJ", "system:"),
    *("key-data", "client-", "string", "é", "\x00", "x" * 250, "y" * 40, "-" * 70, "$", ">", "["),
)

values = st.one_of(
    st.binary(min_size=8, max_size=40),
    st.text(min_size=8, max_size=24).map(str.encode),
    st.text("ab", min_size=8, max_size=12).map(str.encode),
    st.text("aZ09-_+/=%&\"'\\ $.*[(\n", min_size=8, max_size=24).map(str.encode),
).filter(lambda value: objection("s", value) is None)

cuts = st.lists(st.integers(1, 40), min_size=1, max_size=6)
between = st.sampled_from(FRAGMENTS).map(str.encode) | st.binary(max_size=6)


@st.composite
def texts(draw: st.DrawFn, secrets: Sequence[bytes]) -> bytes:
    """Secrets, written and wrapped in any way, whole or not, between anything."""
    pieces = []
    for _ in range(draw(st.integers(1, 8))):
        pieces.append(draw(between))
        if secrets:
            ways = writings(draw(st.sampled_from(secrets)))
            written = ways[draw(st.sampled_from([*ways]))]
            if draw(st.booleans()):
                written = wrapped(written, draw(st.integers(1, 80)), draw(st.sampled_from(WRAPS)))
            whole = draw(st.booleans())
            pieces.append(written if whole else written[: draw(st.integers(0, len(written)))])
    return b"".join(pieces)


def _redactor(secrets: Sequence[bytes]) -> Redactor:
    try:
        return Redactor({f"s{at}": value for at, value in enumerate(secrets)})
    except UsageError:
        assume(False)  # a secret that is a part of a mark
        raise


@patient
@given(st.data(), st.lists(values, min_size=1, max_size=4), cuts)
def test_a_secret_never_leaves(
    data: st.DataObject, secrets: Sequence[bytes], lengths: Sequence[int]
) -> None:
    """However it is written, wrapped, surrounded and cut: nothing of the output reads as it."""
    output = fed(_redactor(secrets), cut(data.draw(texts(secrets)), lengths))
    for value in secrets:
        assert visible(output, value.strip()) == []


@patient
@given(st.data(), st.lists(values, max_size=3), cuts)
def test_how_output_is_cut_makes_no_difference(
    data: st.DataObject, secrets: Sequence[bytes], lengths: Sequence[int]
) -> None:
    """Byte by byte, in any chunks, or all at once: the same output."""
    redactor = _redactor(secrets)
    text = data.draw(texts(secrets))
    whole = fed(redactor, [text])
    assert fed(redactor, cut(text, [1])) == whole
    assert fed(redactor, cut(text, lengths)) == whole


@patient
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25), cuts)
def test_signs_are_seen_in_any_cut(fragments: Sequence[str], lengths: Sequence[int]) -> None:
    """The same for text that is full of what stands before unregistered secrets."""
    redactor = Redactor({})
    text = "".join(fragments).encode()
    whole = fed(redactor, [text])
    assert fed(redactor, cut(text, [1])) == whole
    assert fed(redactor, cut(text, lengths)) == whole


@patient
@given(st.data(), st.lists(values, max_size=3), cuts)
def test_what_is_held_back_is_bounded(
    data: st.DataObject, secrets: Sequence[bytes], lengths: Sequence[int]
) -> None:
    """At no time more than the class promises."""
    redactor = _redactor(secrets)
    stream = redactor.stream()
    for chunk in cut(data.draw(texts(secrets)) * 20, lengths):
        stream.feed(chunk)
        assert stream.held <= redactor.reach + 400 + 16 * 1024


@patient
@given(st.text("abcdefghij klmnop\n0123456789.,;|(){}[]#*äß€", max_size=200), cuts)
def test_text_without_secrets_is_left_alone(text: str, lengths: Sequence[int]) -> None:
    """Byte for byte, whatever is registered."""
    redactor = Redactor({"one": b"Zq!7Zq!8Zq!9", "two": b"QQ-qq-QQ-qq-QQ"})
    assert fed(redactor, cut(text.encode(), lengths)).decode() == text
    assert redactor.text(text) == text


@pytest.mark.parametrize("length", range(1, 16))
def test_only_what_may_be_a_secret_is_held(length: int) -> None:
    """The beginning of a secret waits for the byte that decides, and nothing else does."""
    value = b"Zq!7Zr!8Zs!9Zt!0"
    stream = Redactor({"s": value}).stream()
    assert stream.feed(b"Continue? (y/n) " + value[:length]) == b"Continue? (y/n) "
    assert stream.held == length
    assert stream.feed(b"?") == value[:length] + b"?"
    assert stream.held == 0


@pytest.mark.parametrize("length", [1, 40, 1_000, 4_000])
def test_white_space_is_held_as_long_as_a_secret_may_go_on_behind_it(length: int) -> None:
    """Behind the beginning of a secret white space may be a wrap, up to the reach."""
    value = b"Zq!7Zr!8Zs!9Zt!0"
    stream = Redactor({"s": value}).stream()
    assert stream.feed(value[:10] + b" " * length) == b""
    assert stream.feed(value[10:]) + stream.close() == b"[secret s]"


def test_of_a_secret_beyond_reach_the_rest_is_covered() -> None:
    """What is held does not grow without end, and the cut makes no difference here either."""
    value = b"Zq!7Zr!8Zs!9Zt!0"
    redactor = Redactor({"s": value})
    text = value[:10] + b" " * redactor.reach + value[10:] + b" " + value
    output = value[:10] + b" " * 6 + b"[secret s] [secret s]"
    assert fed(redactor, [text]) == output
    assert fed(redactor, cut(text, [7])) == output
    stream = redactor.stream()
    assert stream.feed(text[: redactor.reach + 5]) == value[:5]
    assert stream.held == redactor.reach


@pytest.mark.parametrize(("length", "gone"), [(7, False), (8, True), (15, True)])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_output_that_was_cut_may_end_within_a_secret(
    length: int, *, gone: bool, end: bytes
) -> None:
    """Half of a secret is too much; of output that came to its end it is something else."""
    value = b"Zq!7Zr!8Zs!9Zt!0"
    redactor = Redactor({"s": value})
    for cut_off in (True, False):
        stream = redactor.stream()
        output = stream.feed(b"<" + value[:length] + end) + stream.close(cut=cut_off)
        whole = b"<" + value[:length] + end
        assert output == (b"<[secret s]" if gone and cut_off else whole)


def test_a_long_secret_that_was_cut_off_is_seen_by_its_beginning() -> None:
    """16 bytes are enough of a key, as they are of one of its lines."""
    redactor = Redactor({"short": b"0123456789abcdef", "long": b"0123456789abcdefXYZ" * 20})
    for length, output in ((7, b"0123456"), (15, b"[secret short]"), (18, b"[secret long]")):
        stream = redactor.stream()
        text = (b"0123456789abcdefXYZ" * 2)[:length]
        assert stream.feed(text) + stream.close(cut=True) == output


def test_what_is_dropped_is_not_held() -> None:
    """A value of any length takes no room, and neither do backslashes of which one may count."""
    stream = Redactor({}).stream()
    assert stream.feed(b'"password":"') == b'"password":"'
    for chunk in (b"x" * 100_000, b"\\" * 100_000, b"x"):
        stream.feed(chunk)
        assert stream.held <= 1
    assert stream.feed(b'","next":1') + stream.close() == b'","next":1'


def test_a_stream_does_not_disturb_another() -> None:
    """They share what is compiled, and no more."""
    redactor = Redactor({"s": b"Zq!7Zr!8Zs!9Zt!0"})
    one, other = redactor.stream(), redactor.stream()
    assert one.feed(b"Zq!7Zr!8") == b""
    assert other.feed(b"Zs!9Zt!0") == b"Zs!9Zt!0"
    assert one.feed(b"Zs!9Zt!0") + one.close() == b"[secret s]"
    assert other.close() == b""


@pytest.mark.parametrize("place", [0, 64 * 1024 - 5, 64 * 1024, 150_000, 200_000])
def test_a_long_chunk_is_redacted_to_its_end(place: int) -> None:
    """Nothing of it is lost, and a secret in it is found wherever it is."""
    secret, around = b"correct-horse-battery", b"x" * 200_000
    text = around[:place] + secret + around[place:]
    stream = Redactor({"s": secret}).stream()
    found = stream.feed(text) + stream.close()
    assert found == around[:place] + b"[secret s]" + around[place:]
