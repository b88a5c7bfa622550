"""`openssl` of machines in memory that makes keys and signs; the same keys in each process."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bot.targets.ssh.model import FakeMachine, Say
from procedures.model.platform import Certificates
from tests.support import openssl as looking

_PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
}
_LONG = datetime(2050, 1, 1, tzinfo=UTC)
RECORD = "/etc/etcd/ca/index.txt"


def key_of(seed: str) -> Ed25519PrivateKey:
    """A key, always the same."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())


def pem(key: Ed25519PrivateKey) -> bytes:
    """A key as it lies in a file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a certificate is to be for, and when it ends."""

    name: str
    names: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ("client", "server")
    ends: datetime = _LONG


@cache
def ca(seed: str = "etcd-signer", ends: datetime = _LONG) -> bytes:
    """A CA's own certificate; its key is `key_of` the same seed."""
    key = key_of(seed)
    return _built(Wanted(seed, ends=ends), key.public_key(), seed, key, authority=True)


@cache
def cert(wanted: Wanted, seed: str, *, by: str = "etcd-signer") -> bytes:
    """A certificate of a key by a CA, both of them by their seeds."""
    return _built(wanted, key_of(seed).public_key(), by, key_of(by), authority=False)


def put_pairs(
    machine: FakeMachine,
    files: Certificates,
    address: str,
    name: str,
    *,
    ends: datetime = _LONG,
    by: str = "etcd-signer",
) -> None:
    """Let a machine have a host's certificates with their keys, and the CA that signed them."""
    machine.files.put(files.ca, ca(by))
    names = (address, name, f"{name}.invalid", "127.0.0.1", "localhost")
    for pair in {*files.pairs, *(each for each in (files.admin, files.node) if each)}:
        seed = f"{name} {pair.key}"
        machine.files.put(pair.cert, cert(Wanted(name, names, ends=ends), seed, by=by))
        machine.files.put(pair.key, pem(key_of(seed)), 0o600)


def _built(wanted: Wanted, public, issuer: str, by, *, authority: bool) -> bytes:  # type: ignore[no-untyped-def]  # noqa: ANN001 (any kind of key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(wanted.name))
        .issuer_name(_named(issuer))
        .public_key(public)
        .serial_number(int(hashlib.sha256(repr(wanted).encode()).hexdigest()[:16], 16) + 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(wanted.ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if wanted.names:
        names = [_general(each) for each in wanted.names]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if not authority:
        usage = x509.ExtendedKeyUsage([_PURPOSES[each] for each in wanted.purposes])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(by, None).public_bytes(Encoding.PEM)


async def openssl(machine: FakeMachine, argv: Sequence[str], stdin: bytes, say: Say) -> int:
    """`openssl req`, `ca` and `x509 -req` as they are called here; the rest only looks."""
    words = list(argv)
    if words[0] == "env":
        if "openssl" not in words:
            return 127
        (san,) = (word.removeprefix("SAN=") for word in words if word.startswith("SAN="))
        return await _by_ca(machine, words, san, say)
    if words[1] == "version":
        return 0
    if words[1] == "req":
        return _request(machine, words)
    if words[1] == "x509" and "-req" in words:
        text = machine.files.text(_after(words, "-extfile"))
        lines = dict(line.split(" = ", 1) for line in text.splitlines())
        usage = lines["extendedKeyUsage"].replace("Auth", "").split(", ")
        places = (_after(words, "-CA"), _after(words, "-CAkey"))
        return _sign(machine, words, lines["subjectAltName"], tuple(sorted(usage)), places)
    return await looking.openssl(machine, argv, stdin, say)


async def _by_ca(machine: FakeMachine, words: list[str], san: str, say: Say) -> int:
    kind = _after(words, "-extensions")
    usage = {"etcd_v3_ca_peer": ("client", "server"), "etcd_v3_ca_server": ("server",)}[kind]
    folder = _after(words, "-config").rpartition("/")[0]
    status = _sign(machine, words, san, usage, (f"{folder}/ca.crt", f"{folder}/ca.key"))
    record = machine.files.text(RECORD)
    machine.files.put(RECORD, f"{record}V\t{_after(words, '-in')}\n")
    await say("Data Base Updated")
    return status


def _request(machine: FakeMachine, words: list[str]) -> int:
    out, name = _after(words, "-keyout"), _after(words, "-subj").removeprefix("/CN=")
    key = key_of(f"{machine.name} {out}")
    machine.files.put(out, pem(key), 0o600)
    request = x509.CertificateSigningRequestBuilder().subject_name(_named(name)).sign(key, None)
    machine.files.put(_after(words, "-out"), request.public_bytes(Encoding.PEM))
    return 0


def _sign(
    machine: FakeMachine,
    words: list[str],
    san: str,
    purposes: tuple[str, ...],
    places: tuple[str, str],
) -> int:
    request = x509.load_pem_x509_csr(machine.files.file(_after(words, "-in")).content)
    authority = x509.load_pem_x509_certificate(machine.files.file(places[0]).content)
    key = load_pem_private_key(machine.files.file(places[1]).content, None)
    now = datetime.fromtimestamp(machine.now_ms() / 1_000, UTC)
    wanted = Wanted(
        _common(request.subject),
        tuple(each.partition(":")[2] for each in san.split(",")),
        purposes,
        now + timedelta(days=int(_after(words, "-days"))),
    )
    made = _built(wanted, request.public_key(), _common(authority.subject), key, authority=False)
    machine.files.put(_after(words, "-out"), made)
    return 0


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def _common(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
