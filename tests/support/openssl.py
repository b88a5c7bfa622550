"""`openssl` of a machine in memory, over real certificates in its files; only what looks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.sandbox.demo.pki import Authority, Pair, Validity
from bot.targets.ssh.fake_files import FakeFile
from bot.targets.ssh.model import FakeMachine, Say

SIGNER = "etcd-signer"


@cache
def authority(name: str) -> Authority:
    """One authority of a name, always the same: keys take time."""
    return Authority.create(name, _until(datetime(2050, 1, 1, tzinfo=UTC)))


def authority_key(name: str) -> bytes:
    """The key of an authority, in PEM."""
    key = authority(name).key
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def issued(name: str, address: str, *, at_s: int, days: int = 365, by: str = SIGNER) -> Pair:
    """A host's certificate, which ends `days` after `at_s` (Unix time)."""
    hosts = (address, name, f"{name}.invalid", "127.0.0.1")
    end = datetime.fromtimestamp(at_s, UTC) + timedelta(days=days, minutes=1)
    return authority(by).issue(name, hosts=hosts, validity=_until(end))


async def openssl(machine: FakeMachine, argv: Sequence[str], _: bytes, say: Say) -> int:
    """`openssl x509 -noout -in FILE …`, `verify -CAfile CA FILE` and `pkey -in KEY -pubout`."""
    words = list(argv)
    if words[1] == "pkey":
        return await _public_half(machine, words[words.index("-in") + 1], say)
    path = words[words.index("-in") + 1] if "-in" in words else words[-1]
    certificate = _read(machine, path)
    if certificate is None:
        return 2 if words[1] == "verify" else 1
    if words[1] == "verify":
        return await _verify(machine, certificate, path, words[words.index("-CAfile") + 1], say)
    ends = certificate.not_valid_after_utc
    if "-checkend" in words:
        later_s = int(words[words.index("-checkend") + 1])
        ended = ends.timestamp() <= machine.now_ms() / 1_000 + later_s
        await say(f"Certificate will {'expire' if ended else 'not expire'}")
        return int(ended)
    await say(f"notAfter={ends:%b} {ends.day:2} {ends:%H:%M:%S %Y} GMT")
    if "-purpose" in words:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        for purpose, oid in _PURPOSES.items():
            await say(f"{purpose} : {'Yes' if oid in usage else 'No'}")
    for option, what in (("-checkip", "IP"), ("-checkhost", "Hostname")):
        if option in words:
            name = words[words.index(option) + 1]
            fits = "does" if name in _names(certificate) else "does NOT"
            await say(f"{what} {name} {fits} match certificate")
    return 0


_PURPOSES = {
    "SSL client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "SSL server": ExtendedKeyUsageOID.SERVER_AUTH,
}


async def _verify(
    machine: FakeMachine, certificate: x509.Certificate, path: str, ca_path: str, say: Say
) -> int:
    ca = _read(machine, ca_path)
    if ca is None:
        return 1
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, InvalidSignature):
        await say("error 20 at 0 depth lookup: unable to get local issuer certificate")
        return 2
    if certificate.not_valid_after_utc.timestamp() * 1_000 <= machine.now_ms():
        await say("error 10 at 0 depth lookup: certificate has expired")
        return 2
    await say(f"{path}: OK")
    return 0


async def _public_half(machine: FakeMachine, path: str, say: Say) -> int:
    """`openssl pkey -in KEY -pubout`."""
    node = machine.files.get(path)
    try:
        content = node.content if isinstance(node, FakeFile) else b""
        public = load_pem_private_key(content, None).public_key()
    except ValueError:
        return 1
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for line in pem.decode().splitlines():
        await say(line)
    return 0


def _read(machine: FakeMachine, path: str) -> x509.Certificate | None:
    node = machine.files.get(path)
    try:
        return x509.load_pem_x509_certificate(node.content) if isinstance(node, FakeFile) else None
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(each) for each in names.get_values_for_type(x509.IPAddress)}
    return addresses | set(names.get_values_for_type(x509.DNSName))


def _until(end: datetime) -> Validity:
    return Validity(datetime(2020, 1, 1, tzinfo=UTC), end)
