"""Which secrets can be registered, and secrets of several lines."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from procedures.model.errors import UsageError
from procedures.model.redaction.form import forms
from procedures.model.redaction.redactor import Redactor, objection
from tests.unit.procedures.redaction.writings import cut, fed, wrapped, writings

_EC = ec.generate_private_key(ec.SECP256R1())
_ED = ed25519.Ed25519PrivateKey.generate()
_RSA = rsa.generate_private_key(65_537, 2048)
KEYS = {
    "EC": _EC.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "PKCS8": _EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    "encrypted": _EC.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a passphrase")
    ),
    "legacy": _RSA.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"a passphrase")
    ),
    "OPENSSH": _ED.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
    "RSA": _RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
}
NAMES = pytest.mark.parametrize("name", KEYS)


def body(key: bytes) -> list[bytes]:
    """The lines of a key that are secret."""
    lines = key.splitlines()
    return [line for line in lines if line and b"-----" not in line and b": " not in line]


def read(output: bytes, key: bytes) -> list[bytes]:
    """What can still be read of a key, in pieces of 12 characters."""
    secret = b"".join(body(key))
    pieces = (secret[at : at + 12] for at in range(len(secret) - 11))
    return [piece for piece in pieces if piece in output.replace(b"\n", b"").replace(b"\\n", b"")]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("short", b"seven77", "shorter than 8 bytes"),
        ("blank", b"  seven77 \r\n", "shorter than 8 bytes"),
        ("empty", b"", "shorter than 8 bytes"),
        ("quotes", b"\"'\\ \"'\\ \"'\\ abc", "quotes and backslashes"),
        ("", b"long enough", "the name of a secret"),
        ("a\nb", b"long enough", "the name of a secret"),
        ("a b", b"long enough", "the name of a secret"),
        ("]", b"long enough", "the name of a secret"),
        ("n" * 65, b"long enough", "the name of a secret"),
    ],
)
def test_what_cannot_be_redacted_is_refused(name: str, value: bytes, words: str) -> None:
    """At once, in words that name the secret and do not tell it."""
    reason = objection(name, value)
    assert reason is not None
    assert words in reason
    if value.strip():
        assert value.decode() not in reason
    with pytest.raises(UsageError, match=words):
        Redactor({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis-password", b"password"),
        ("key", b"private-key"),
        ("secret.of-mine", b"secretof"),
        ("fine", b"[secret fine]"),
    ],
)
def test_no_mark_tells_a_secret(name: str, value: bytes) -> None:
    """A secret that its own mark, or another, would show is refused."""
    if (name, value) == ("secret.of-mine", b"secretof"):
        assert Redactor({name: value}).text("secretof") == "[secret secret.of-mine]"
        return
    with pytest.raises(UsageError, match="change the secret or its name"):
        Redactor({name: value})


def test_no_secrets_are_allowed() -> None:
    """Then only what looks like a secret is replaced."""
    assert Redactor({}).text("password=x, done") == "password=[secret value] done"


@NAMES
def test_a_registered_key_is_found_as_a_whole(name: str) -> None:
    """In each way of writing, with its frame or without, and in any wraps."""
    key = KEYS[name]
    redactor = Redactor({"k": key})
    for how, written in writings(key).items():
        output = fed(redactor, [written])
        assert read(output, key) == [], how
        assert b"[secret k]" in output, how
    bare = b"".join(body(key))
    for text in (bare, wrapped(bare, 76, b"\r\n"), json.dumps(key.decode()).encode()):
        assert read(fed(redactor, [text]), key) == []
        assert read(fed(redactor, cut(text, [13])), key) == []


@NAMES
def test_each_line_of_a_registered_key_is_found_alone(name: str) -> None:
    """`grep` and `head` print lines; one of 16 bytes is as good as its secret."""
    key = KEYS[name]
    redactor = Redactor({"k": key})
    for line in body(key):
        if len(line) >= 16:
            assert redactor.text(f"<{line.decode()}>") == "<[secret k]>"
            assert b"[secret k]" in fed(redactor, [line.hex().encode()])
            for before in (b"", b"u", b"uv"):
                output = fed(redactor, [base64.b64encode(before + line)])
                rest = len(before) + len("?" + "?==")  # with the characters that hold bits of both
                assert len(output.replace(b"[secret k]", b"")) <= rest


def test_a_short_last_line_goes_with_the_line_before() -> None:
    """The end of a key is short, and no secret alone; behind the rest it is one."""
    key = b"-----BEGIN X-----\n" + b"ABCDEFGHIJKLMNOPQRSTUVWX\n" * 2 + b"yz01==\n-----END X-----\n"
    redactor = Redactor({"k": key})
    assert redactor.text("ABCDEFGHIJKLMNOPQRSTUVWX\nyz01==\n") == "[secret k]\n"
    assert redactor.text("yz01==\n") == "yz01==\n"
    assert redactor.text("-----BEGIN X-----") == "-----BEGIN X-----"


def test_the_frame_of_a_registered_key_still_tells_of_other_keys() -> None:
    """Were the BEGIN line a secret itself, the key behind it would be shown."""
    redactor = Redactor({"k": KEYS["RSA"]})
    other = rsa.generate_private_key(65_537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    assert read(fed(redactor, [other]), other) == []


def test_lines_of_other_secrets_count_as_well() -> None:
    """Whatever has several lines, with any line ends; short lines stay."""
    value = b"first line of the file\r\n  short\r\n\tsecond line of the file\r\n"
    redactor = Redactor({"f": value})
    assert redactor.text("a first line of the file b") == "a [secret f] b"
    assert redactor.text("second line of the file") == "[secret f]"
    assert redactor.text("short") == "short"
    assert redactor.text(value.decode().replace("\r", "")) == "[secret f]\n"


def test_lines_of_quotes_are_no_secrets() -> None:
    """Nothing of them would be left to look for."""
    redactor = Redactor({"f": b"a long first line\n" + b"'" * 20 + b"x" + b"\n"})
    assert redactor.text("x marks the 'x'") == "x marks the 'x'"


def test_a_repr_tells_no_secret() -> None:
    """What stands in a traceback or a log names no more than types."""
    redactor = Redactor({"s": b"s3cretTokenValue"})
    stream = redactor.stream()
    stream.feed(b"s3cretTok")
    for thing in (redactor, stream, redactor._automaton.start[ord("s")], *forms(0, b"s3cretTok")):
        assert "cret" not in repr(thing).replace("_", "").replace("secret", "")
