"""What a certificate says of itself, and whether a key belongs to it. No network, no files."""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """Names and addresses that it is for, when it ends in Unix seconds, and its public key."""

    names: frozenset[str]
    ends_s: int
    key: bytes


def read(content: bytes) -> Leaf | None:
    """Read the first certificate of a file in PEM; None where there is none."""
    try:
        found = x509.load_pem_x509_certificate(content)
    except ValueError:
        return None
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        listed: Iterable[str] = ()
    else:
        addresses = (str(each) for each in names.get_values_for_type(x509.IPAddress))
        listed = (*addresses, *names.get_values_for_type(x509.DNSName))
    key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Leaf(frozenset(listed), int(found.not_valid_after_utc.timestamp()), key)


def key_belongs(leaf: Leaf, private_key: bytes) -> bool:
    """Tell whether a private key in PEM is that of a certificate."""
    try:
        key = load_pem_private_key(private_key, None)
    except (ValueError, TypeError):
        return False
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public == leaf.key
