"""Certificates are right by default, and wrong in exactly the way that a test asks for."""

import asyncio
import ssl
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.sandbox.demo.certificates import Pki
from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.demo.pki import Authority, Validity
from tests.support.services import MakeCluster


def strict(cluster: DemoCluster) -> ssl.SSLContext:
    """Verifies as a careful client does."""
    context = ssl.create_default_context(cafile=str(cluster.files.ca))
    context.load_cert_chain(cluster.files.cert, cluster.files.key)
    return context


async def handshake(cluster: DemoCluster, member: str) -> None:
    """TLS and one request: with TLS 1.3, a refused client learns it only when it reads."""
    assert await asyncio.to_thread(status, cluster, member, strict(cluster)) == 200


def status(cluster: DemoCluster, member: str, tls: ssl.SSLContext) -> int:
    port = int(cluster.endpoints[member].rpartition(":")[2])
    with closing(HTTPSConnection("127.0.0.1", port, timeout=5, context=tls)) as connection:
        connection.request("GET", "/health")
        return connection.getresponse().status


async def test_the_default_certificates_satisfy_a_strict_client(etcd_cluster: DemoCluster) -> None:
    """Each member is verified by address, and accepts the client."""
    for member in etcd_cluster.endpoints:
        await handshake(etcd_cluster, member)


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    """Every key file is 0600, also when it replaces one that was open."""
    (tmp_path / "client.key").touch(mode=0o644)
    Pki().write(tmp_path, ["demo-1"])
    keys = list(tmp_path.glob("*.key"))
    assert len(keys) == 3
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_a_certificate_names_its_member_and_both_uses(tmp_path: Path) -> None:
    """EC P-256; loopback and the member's name; for servers and for clients."""
    Pki().write(tmp_path, ["demo-1"])
    certificate = x509.load_pem_x509_certificate((tmp_path / "demo-1-server.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "demo-1"}
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


@pytest.mark.parametrize("days", [-3.0, 0.5, 29.0])
def test_days_left_is_what_was_asked_for(days: float) -> None:
    """The end is that far away, and the window is never empty."""
    validity = Validity.days_left(days)
    assert validity.start < validity.end
    assert validity.start < datetime.now(UTC)
    assert abs(validity.end - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=1)


async def test_wrong_server_certificates_do_not_break_the_cluster(
    make_cluster: MakeCluster,
) -> None:
    """An expired one, one for another host and a right one, on three healthy members."""
    cluster = await make_cluster(
        pki=Pki(
            server_validity={"demo-1": Validity.days_left(-1)},
            server_hosts={"demo-2": ("elsewhere.example",)},
        )
    )
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        await handshake(cluster, "demo-1")
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        await handshake(cluster, "demo-2")
    await handshake(cluster, "demo-3")


async def test_servers_of_another_authority_are_not_trusted(make_cluster: MakeCluster) -> None:
    """The client has the wrong CA for them."""
    cluster = await make_cluster(size=1, pki=Pki(server_authority=Authority.create("another CA")))
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        await handshake(cluster, "demo-1")


@pytest.mark.parametrize("fault", ["expired", "another authority"])
async def test_a_wrong_client_certificate_is_refused(
    etcd_cluster: DemoCluster, tmp_path: Path, fault: str
) -> None:
    """etcd ends the connection of a client whose certificate it does not trust."""
    if fault == "expired":
        pair = etcd_cluster.pki.authority.issue("late", validity=Validity.days_left(-1))
    else:
        pair = Authority.create("another CA").issue("stranger")
    context = ssl.create_default_context(cafile=str(etcd_cluster.files.ca))
    context.load_cert_chain(*pair.write(tmp_path, "wrong"))
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await asyncio.to_thread(status, etcd_cluster, "demo-1", context)
