"""TLS refused by one side: which side, and why, in words."""

import ssl
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from bot.targets.etcd.faults import FaultError
from bot.targets.etcd.target import Target
from procedures.model.probe import FaultKind

# X509_V_ERR_* in OpenSSL's x509_vfy.h
_NOT_YET_VALID = 9
_EXPIRED = 10
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})
_OTHER_NAME = frozenset({62, 64})

_REJECTIONS = {
    "CERTIFICATE_REQUIRED": "it asks for a client certificate",
    "BAD_CERTIFICATE": "it does not accept it",
    "CERTIFICATE_EXPIRED": "it takes it for expired",
    "CERTIFICATE_REVOKED": "it takes it for revoked",
    "CERTIFICATE_UNKNOWN": "it does not accept it",
    "UNSUPPORTED_CERTIFICATE": "it does not accept its kind",
    "UNKNOWN_CA": "it does not know the CA that signed it",
    "ACCESS_DENIED": "it does not accept it",
}


_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})


def server_not_trusted(
    target: Target,
    error: ssl.SSLCertVerificationError,
    leaf: x509.Certificate | None,
    now: datetime,
) -> FaultError:
    """Say why the server's certificate is not trusted. `leaf` is it, where it could be read."""
    shows = f"{target.who} shows a certificate"
    ca = f" {target.identity.files.ca}" if target.identity else ""
    match error.verify_code:
        case code if code in _OTHER_NAME:
            text = f"{shows} for {_names(leaf)}, not for {target.certificate_name}"
        case code if code in _UNKNOWN_ISSUER:
            issuer = f" ({common_name(leaf.issuer)})" if leaf else ""
            text = f"{shows} whose issuer{issuer} is not in the CA file{ca}"
        case code if code == _EXPIRED and leaf and leaf.not_valid_after_utc < now:
            text = f"{shows} that expired on {leaf.not_valid_after_utc:%Y-%m-%d}"
        case code if code == _NOT_YET_VALID and leaf:
            text = (
                f"{shows} that is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
            )
        case _:
            text = f"{shows} that is not trusted: {error.verify_message}"
    return _trust(f"{text}.")


def handshake_failed(target: Target, error: ssl.SSLError, now: datetime) -> FaultError:
    """Say why a handshake failed that was not about the server's certificate."""
    reason = error.reason or ""
    if reason in _NOT_TLS:
        return _trust(
            f"{target.who} does not speak TLS there; the address should begin with http://."
        )
    why = next((why for alert, why in _REJECTIONS.items() if reason.endswith(alert)), None)
    if why is None or target.identity is None:
        words = reason.lower().replace("_", " ") or "the reason is not known"
        return _trust(f"{target.who} and Quorumbot cannot agree on TLS: {words}.")
    own, expiry = target.identity.files.cert, target.identity.client.not_valid_after_utc
    if expiry < now:
        return _trust(f"The client certificate {own} expired on {expiry:%Y-%m-%d}.")
    issuer = common_name(target.identity.client.issuer)
    return _trust(f"{target.who} rejects the client certificate {own} (issued by {issuer}): {why}.")


def tls_wanted(target: Target) -> FaultError:
    """The server speaks TLS, and the URL says that it does not."""
    return _trust(f"{target.who} speaks TLS; the address should begin with https://.")


def not_http2(target: Target) -> FaultError:
    """The server answers, but in another language."""
    return _trust(f"{target.who} does not speak HTTP/2, so it is no etcd that can be asked.")


def common_name(name: x509.Name) -> str:
    """Give the common name, or all of the name where it has none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def _names(leaf: x509.Certificate | None) -> str:
    if leaf is None:
        return "another name"
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return common_name(leaf.subject)
    return ", ".join(str(entry.value) for entry in names)


def _trust(message: str) -> FaultError:
    return FaultError(FaultKind.TRUST, message)
