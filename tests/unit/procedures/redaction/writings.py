"""Every way in which programs write a secret, made by other means than the redaction's own."""

import base64
import html
import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, quote_plus

from procedures.model.redaction.redactor import Redactor

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _base64(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    return lambda value: base64.b64encode(before + value + after)


def _base64url(before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    return lambda value: base64.urlsafe_b64encode(before + value + after).rstrip(b"=")


def _backslashed(value: bytes) -> bytes:
    return b"".join(
        bytes([byte]) if byte in UNRESERVED or byte == 0x0A else b"\\" + bytes([byte])
        for byte in value
    )


def _dollar_quoted(value: bytes) -> bytes:
    """What bash's printf %q writes where something cannot be printed."""
    letters = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 27: "E"}
    escaped = (
        f"\\{letters[byte]}"
        if byte in letters
        else f"\\{chr(byte)}"
        if byte in b"'\\"
        else chr(byte)
        if 0x20 <= byte < 0x7F
        else f"\\{byte:03o}"
        for byte in value
    )
    return f"$'{''.join(escaped)}'".encode()


OF_BYTES: Mapping[str, Callable[[bytes], bytes]] = {
    "plain": lambda value: value,
    "hex": lambda value: value.hex().encode(),
    "HEX": lambda value: value.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64 behind one byte": _base64(b"u", b""),
    "base64 behind two bytes": _base64(b"\xffp", b""),
    "base64 before one byte": _base64(b"", b"\xff"),
    "base64 between": _base64(b"user:", b"\x00rest"),
    "base64url": base64.urlsafe_b64encode,
    "base64url behind one byte, unpadded": _base64url(b"u", b""),
    "base64url between two, unpadded": _base64url(b"\xff\xff", b"\xff\xff"),
    "percent": lambda value: quote(value, safe="").encode(),
    "percent, small": lambda value: "".join(
        chr(b) if b in UNRESERVED else f"%{b:02x}" for b in value
    ).encode(),
    "percent, plus": lambda value: quote_plus(value).encode(),
    "percent, all": lambda value: "".join(f"%{byte:02X}" for byte in value).encode(),
    "backslashed": _backslashed,
    "dollar-quoted": _dollar_quoted,
}

OF_TEXT: Mapping[str, Callable[[str], str]] = {
    "JSON, ASCII": json.dumps,
    "JSON": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON with slashes": lambda value: json.dumps(value).replace("/", "\\/"),
    "JSON in JSON": lambda value: json.dumps(json.dumps({"value": value})),
    "shell-quoted": shlex.quote,
    "repr": repr,
    "HTML": lambda value: html.escape(value).replace("&#x27;", "&#39;"),
}

WRAPS = (b"\n", b"\r\n", b"\n    ", b"\n\t", b"\r\n  \t ")


def writings(value: bytes) -> Mapping[str, bytes]:
    """All that apply to the value, by name."""
    written = {name: write(value) for name, write in OF_BYTES.items()}
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return written
    return written | {name: write(text).encode() for name, write in OF_TEXT.items()}


def wrapped(written: bytes, columns: int, wrap: bytes) -> bytes:
    """Break lines."""
    return wrap.join(written[at : at + columns] for at in range(0, len(written), columns))


def visible(output: bytes, value: bytes) -> list[str]:
    """Name the ways in which the value can still be read; white space is looked through."""
    seen = _squeezed(output)
    bare = {
        **writings(value),
        "base64": base64.b64encode(value)[: 8 * len(value) // 6],
        "base64 behind one byte": base64.b64encode(b"\0" + value)[2 : 8 * (1 + len(value)) // 6],
        "base64 behind two bytes": base64.b64encode(b"\0\0" + value)[3 : 8 * (2 + len(value)) // 6],
    }
    return [name for name, written in bare.items() if _squeezed(written) in seen]


def fed(redactor: Redactor, chunks: Iterable[bytes]) -> bytes:
    """What comes out of a stream."""
    stream = redactor.stream()
    return b"".join([*map(stream.feed, chunks), stream.close()])


def cut(data: bytes, lengths: Iterable[int]) -> list[bytes]:
    """Cut into chunks of these lengths, over and over."""
    chunks: list[bytes] = []
    sizes, at = [*lengths], 0
    while at < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[at : at + size])
        at += size
    return chunks


def _squeezed(data: bytes) -> bytes:
    return data.translate(None, b" \t\r\n")
