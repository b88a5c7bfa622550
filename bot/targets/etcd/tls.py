"""The files with which Quorumbot identifies itself, read, checked and kept until they change."""

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError, seconds
from procedures.model.inventory import TlsFiles
from procedures.model.probe import FaultKind

CA, CERT, KEY = "CA file", "client certificate", "client key"

Stamp: TypeAlias = tuple[tuple[int, int, int], ...]
"""Inode, size and time of change of each file: equal stamps mean equal contents."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """Usable TLS files, in the forms that are needed. Changed files make another identity."""

    files: TlsFiles
    stamp: Stamp
    client: x509.Certificate
    http2: ssl.SSLContext
    http1: ssl.SSLContext
    anyone: ssl.SSLContext
    credentials: grpc.ChannelCredentials = field(repr=False)


class Identities:
    """Loads TLS files, and loads them again when they have changed on disk."""

    def __init__(self) -> None:
        self._loaded: dict[TlsFiles, Identity] = {}

    async def get(self, files: TlsFiles, deadline: Deadline) -> Identity:
        """Give the identity as it is on disk now; raise `FaultError` where it is not usable."""
        try:
            async with asyncio.timeout_at(deadline.at):
                identity = await asyncio.to_thread(_load, files, self._loaded.get(files))
        except TimeoutError:
            waited = seconds(deadline.duration_ms)
            message = f"The TLS files ({files.cert}, …) could not be read within {waited}."
            raise _broken(message) from None
        self._loaded[files] = identity
        return identity


def read(path: str, role: str) -> bytes:
    """Read one of the files; raise `FaultError` where that fails."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unreadable(role, path, error) from error


def certificates(pem: bytes, path: str, role: str) -> tuple[x509.Certificate, ...]:
    """Give all certificates of a PEM file; raise `FaultError` where there is none."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise _broken(f"The {role} {path} holds no certificate in PEM form.") from error


def _load(files: TlsFiles, known: Identity | None) -> Identity:
    stamp = (_stamp(files.ca, CA), _stamp(files.cert, CERT), _stamp(files.key, KEY))
    if known is not None and known.stamp == stamp:
        return known
    ca, cert, key = read(files.ca, CA), read(files.cert, CERT), read(files.key, KEY)
    certificates(ca, files.ca, CA)
    client = certificates(cert, files.cert, CERT)[0]
    if _private_key(key, files.key).public_key() != client.public_key():
        raise _broken(f"The client key {files.key} does not belong to {files.cert}.")
    try:
        return Identity(
            files=files,
            stamp=stamp,
            client=client,
            http2=_context(files, "h2"),
            http1=_context(files, "http/1.1"),
            anyone=_trusting(_context(files, "h2", "http/1.1")),
            credentials=grpc.ssl_channel_credentials(ca, key, cert),
        )
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise _broken(f"{files.ca}, {files.cert} and {files.key} do not work: {reason}.") from error


def _stamp(path: str, role: str) -> tuple[int, int, int]:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise _unreadable(role, path, error) from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def _private_key(pem: bytes, path: str) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError as error:
        message = f"The client key {path} is encrypted; Quorumbot needs a plain one."
        raise _broken(message) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _broken(f"The client key {path} is not a private key in PEM form.") from error


def _context(files: TlsFiles, *protocols: str) -> ssl.SSLContext:
    """Verify as gRPC does: TLS 1.2 or later, and any certificate in the CA file is an anchor."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cafile=files.ca)
    context.load_cert_chain(files.cert, files.key)
    context.set_alpn_protocols(protocols)
    return context


def anonymous() -> ssl.SSLContext:
    """Give a context that shows no certificate and trusts anybody: for looking, not for talking."""
    return _trusting(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def _trusting(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _unreadable(role: str, path: str, error: OSError) -> FaultError:
    match error:
        case FileNotFoundError():
            why = "does not exist"
        case PermissionError():
            why = "may not be read by this process"
        case _:
            why = f"cannot be read ({error.strerror})"
    return FaultError(FaultKind.FILES, f"The {role} {path} {why}.")


def _broken(message: str) -> FaultError:
    return FaultError(FaultKind.FILES, message)
