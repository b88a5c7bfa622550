"""A registered secret is found in each way of writing it, and nothing of it stays."""

import base64
import json
import subprocess
from urllib.parse import quote

import pytest

from procedures.model.redaction.redactor import Redactor
from tests.unit.procedures.redaction.writings import (
    OF_BYTES,
    OF_TEXT,
    WRAPS,
    cut,
    fed,
    visible,
    wrapped,
    writings,
)

SECRETS = {
    "letters": b"s3cretTokenValue",
    "least": b"k7Qp2ZwX",
    "marks": b"p@ss/w0rd+ %41&=?#:;<>|*()[]{}^$.\\d",
    "quotes": b'it\'s "quoted" `here` \\n or $not',
    "accents": "pässwörd-ключ-🔑-ß".encode(),
    "controls": b"tab\there\x1b[0m\x07bell\x01one",
    "binary": bytes(range(0x70, 0x100, 5)) + b"\x00\x00" + bytes(range(20)),
    "base64-like": b"+/+/abcd==ABCD__--",
    "percent-like": b"100%25%zz%41+b",
    "digits": b"31415926535897",
}
LONG = b"a long value, with 'quotes' and more: " + bytes(range(0x30, 0x7F)) * 2
LONG_REDACTOR = Redactor({"s": LONG})
CASES = [
    pytest.param(value, how, id=f"{name}-{how}")
    for name, value in SECRETS.items()
    for how in writings(value)
]
REDACTORS = {value: Redactor({"s": value}) for value in SECRETS.values()}


@pytest.mark.parametrize(("value", "how"), CASES)
def test_each_way_of_writing_is_replaced_by_one_mark(value: bytes, how: str) -> None:
    """The mark stands for all of it: what is around stays, and no way of reading it is left."""
    written = writings(value)[how]
    output = fed(REDACTORS[value], [b"before <" + written + b"> after"])
    assert output.count(b"[secret s]") == 1
    assert output.startswith(b"before <")
    assert output.endswith(b"> after")
    assert visible(output, value) == []
    rest = output.replace(b"[secret s]", b"")
    assert len(rest) <= len(b"before <> after") + len(b"$'''\"'\"''{\\\"value\\\": \\\"\\\"}'''")


@pytest.mark.parametrize("length", range(8, 14))
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
def test_no_bit_stays_in_base64(before: int, length: int, after: int) -> None:
    """A character with bits of the secret goes, whichever neighbours have the others."""
    value = b"Zq!7Zr!8Zs!9Z"[:length]
    redactor = Redactor({"s": value})
    for filler in (b"\x00", b"\xff"):
        coded = base64.b64encode(filler * before + value + filler * after).decode()
        first, last = 8 * before // 6, -(-8 * (before + length) // 6)
        rest = coded[last:] if after else ""
        assert redactor.text(coded) == f"{coded[:first]}[secret s]{rest}"


@pytest.mark.parametrize("wrap", WRAPS, ids=repr)
@pytest.mark.parametrize("columns", [7, 16, 64, 76])
@pytest.mark.parametrize("how", [*OF_BYTES, *OF_TEXT])
def test_lines_may_be_wrapped_anywhere(how: str, columns: int, wrap: bytes) -> None:
    """A long value that base64, a table or a log wrapped is found with its wraps."""
    output = fed(LONG_REDACTOR, [wrapped(writings(LONG)[how], columns, wrap)])
    assert output.count(b"[secret s]") == 1
    assert visible(output, LONG) == []
    assert b"0123" not in output


@pytest.mark.parametrize("columns", [64, 76])
@pytest.mark.parametrize("how", ["base64", "base64url", "hex", "HEX", "plain"])
def test_wrapped_values_are_found_in_json_and_urls(how: str, columns: int) -> None:
    """The wraps may be escaped themselves."""
    value = b"0123456789" * 20
    lines = wrapped(writings(value)[how], columns, b"\n").decode()
    windows = lines.replace("\n", "\r\n")
    for text in (json.dumps(lines), json.dumps(windows), quote(lines), quote(windows, safe="")):
        output = Redactor({"s": value}).text(text)
        assert output.strip('"') in {"[secret s]", "[secret s]=="}


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize(
    "value", [value for value in SECRETS.values() if b"\x00" not in value], ids=repr
)
def test_what_bash_quotes_is_found(value: bytes, locale: str) -> None:
    """`printf %q` of the bash that is here, in both of its styles."""
    command = [b"bash", b"-c", b'printf %q "$1"', b"bash", value]
    quoted = subprocess.run(
        command, env={"LC_ALL": locale}, check=True, capture_output=True, timeout=10
    ).stdout
    output = fed(REDACTORS[value], [quoted])
    assert b"[secret s]" in output
    assert len(output) <= len(b"$'[secret s]'") + 2


@pytest.mark.parametrize("value", SECRETS.values(), ids=SECRETS)
def test_a_mixture_of_ways_is_found(value: bytes) -> None:
    """Each byte may be written in another way than the one before it."""
    ways = [lambda b: f"%{b:02X}", lambda b: f"\\x{b:02x}", lambda b: f"%{b:02x}"]
    mixed = "".join(ways[at % 3](byte) for at, byte in enumerate(value)).encode()
    assert fed(REDACTORS[value], [b"<" + mixed + b">"]).strip(b"\\") in {
        b"<[secret s]>",
        b"<\\[secret s]>",
    }


def test_letters_may_change_their_case() -> None:
    """A program that writes names in capitals does so with a secret as well."""
    assert Redactor({"s": b"s3cretTokenValue"}).text("S3CRETTOKENVALUE") == "[secret s]"


def test_bytes_that_python_could_not_decode_are_found_in_text() -> None:
    """Text of `surrogateescape` holds the bytes; what is no text at all does no harm."""
    value = b"\xff\xfe-no-text-\xc3"
    redactor = Redactor({"s": value})
    assert redactor.text(f"<{value.decode(errors='surrogateescape')}>") == "<[secret s]>"
    assert redactor.text(json.dumps(value.decode(errors="surrogateescape"))) == '"\\[secret s]"'
    assert redactor.text("\ud800 and \udcff") == "\ufffd and \ufffd"


def test_white_space_at_the_ends_of_a_secret_does_not_count() -> None:
    """A file ends with a line feed, and the value that a program reads from it does not."""
    redactor = Redactor({"s": b"\n s3cretToken \r\n"})
    assert redactor.text("<s3cretToken>") == "<[secret s]>"
    for name, written in writings(b"s3cretToken").items():
        assert b"[secret s]" in fed(redactor, [written]), name


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("value", "how"), CASES[::7])
def test_chunks_may_end_anywhere(value: bytes, how: str, size: int) -> None:
    """A secret that comes in pieces is the same secret."""
    text = b"before <" + writings(value)[how] + b"> after"
    redactor = REDACTORS[value]
    assert fed(redactor, cut(text, [size])) == fed(redactor, [text])
