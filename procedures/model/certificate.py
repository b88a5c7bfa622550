"""What a certificate says of itself, and whether a key belongs to it. No network, no files."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER, CLIENT = "server", "client"
_OIDS = {SERVER: ExtendedKeyUsageOID.SERVER_AUTH, CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Leaf:
    """Names and addresses that it is for, its time in Unix seconds, its public key, and itself.

    `subject` and `issuer` are whole; `common_name` is that of the subject, empty where it has none.
    One that names no purposes is good for all of them.
    """

    names: frozenset[str]
    begins_s: int
    ends_s: int
    key: bytes
    subject: str
    issuer: str
    common_name: str
    purposes: frozenset[str]
    authority: bool
    der: bytes

    @property
    def sha256(self) -> str:
        """What tells it from all others."""
        return hashlib.sha256(self.der).hexdigest()

    def is_for(self, host: str) -> bool:
        """Tell whether it names a host: its address, its name, or `*` for the first part of it."""
        try:
            return str(ip_address(host)) in self.names
        except ValueError:
            _, _, domain = host.partition(".")
            return host in self.names or (bool(domain) and f"*.{domain}" in self.names)


def read(content: bytes) -> Leaf | None:
    """Read the first certificate of a file in PEM; None where there is none."""
    try:
        return _leaf(x509.load_pem_x509_certificate(content))
    except ValueError:
        return None


def read_all(content: bytes) -> tuple[Leaf, ...]:
    """Read all certificates of a file in PEM; none where one of them cannot be read."""
    try:
        return tuple(_leaf(each) for each in x509.load_pem_x509_certificates(content))
    except ValueError:
        return ()


def signed(leaf: Leaf, ca: Leaf) -> bool:
    """Tell whether a certificate is signed by that of a CA."""
    if not ca.authority:
        return False
    certificate, issuer = (x509.load_der_x509_certificate(each.der) for each in (leaf, ca))
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def request_key(content: bytes) -> bytes | None:
    """Read the public key of a signing request in PEM; None where its own signature is wrong."""
    try:
        request = x509.load_pem_x509_csr(content)
    except ValueError:
        return None
    return _public(request.public_key()) if request.is_signature_valid else None


def public_key(content: bytes) -> bytes | None:
    """Read a public key in PEM, in the form that `Leaf.key` has; None where there is none."""
    try:
        return _public(load_pem_public_key(content))
    except ValueError:
        return None


def key_belongs(leaf: Leaf, private_key: bytes) -> bool:
    """Tell whether a private key in PEM is that of a certificate."""
    try:
        key = load_pem_private_key(private_key, None)
    except (ValueError, TypeError):
        return False
    return _public(key.public_key()) == leaf.key


def _leaf(found: x509.Certificate) -> Leaf:
    common = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Leaf(
        names=frozenset(_names(found)),
        begins_s=int(found.not_valid_before_utc.timestamp()),
        ends_s=int(found.not_valid_after_utc.timestamp()),
        key=_public(found.public_key()),
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        common_name=str(common[0].value) if common else "",
        purposes=_purposes(found),
        authority=_is_authority(found),
        der=found.public_bytes(Encoding.DER),
    )


def _names(found: x509.Certificate) -> Iterable[str]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(each) for each in names.get_values_for_type(x509.IPAddress))
    return (*addresses, *names.get_values_for_type(x509.DNSName))


def _purposes(found: x509.Certificate) -> frozenset[str]:
    try:
        usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset(_OIDS)
    return frozenset(name for name, oid in _OIDS.items() if oid in usage)


def _is_authority(found: x509.Certificate) -> bool:
    try:
        return found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
