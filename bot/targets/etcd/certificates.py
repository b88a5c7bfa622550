"""Certificates as values: those that ports show, and those in the asker's own files."""

import ssl

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from bot.targets.etcd import tls
from bot.targets.etcd.deadline import Deadline
from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.proof import Prover
from bot.targets.etcd.target import locate
from procedures.model.inventory import TlsFiles
from procedures.model.probe import Certificate, Fault, FaultKind, OwnCertificates

_NO_FILES = Fault(FaultKind.SKIPPED, "No TLS files are configured for the cluster.")


async def shown_at(
    prover: Prover, url: str, who: str, context: ssl.SSLContext, deadline: Deadline
) -> Certificate | Fault:
    """Read the certificate that a port shows. Only the handshake is made, nothing is sent."""
    try:
        target = locate(url, who)
        if not target.tls:
            return Fault(FaultKind.SKIPPED, f"{who} speaks no TLS, so it has no certificate.")
        return _value(await prover.leaf(target, context, deadline))
    except FaultError as error:
        return error.fault


def own(files: TlsFiles | None) -> OwnCertificates:
    """Read the certificates in one's own files; it blocks while the files are read."""
    if files is None:
        return OwnCertificates(_NO_FILES, _NO_FILES)
    client = _in_file(files.cert, tls.CERT)
    return OwnCertificates(
        ca=_in_file(files.ca, tls.CA),
        client=client if isinstance(client, Fault) else client[0],
    )


def context_for_anyone(identity: tls.Identity | Fault | None) -> ssl.SSLContext:
    """Give a context that reads any certificate, and shows the client's where it is usable.

    A TLS 1.2 server that asks for a client certificate breaks off without one, so that its own
    cannot be read; a TLS 1.3 server has shown its own by then.
    """
    if isinstance(identity, tls.Identity):
        return identity.anyone
    return tls.anonymous()


def _in_file(path: str, role: str) -> tuple[Certificate, ...] | Fault:
    try:
        return tuple(_value(one) for one in tls.certificates(tls.read(path, role), path, role))
    except FaultError as error:
        return error.fault


def _value(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        not_before_s=int(certificate.not_valid_before_utc.timestamp()),
        not_after_s=int(certificate.not_valid_after_utc.timestamp()),
        sha256=certificate.fingerprint(SHA256()).hex(),
    )
