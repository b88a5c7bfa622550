"""The reader against real etcd members behind bad networks, and against servers that are not etcd.

What each fault looks like decides whether people believe that their cluster is dead.
"""

import asyncio
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.demo.certificates import Pki
from bot.sandbox.demo.cluster import DemoCluster
from bot.sandbox.demo.pki import Authority, Files, Validity
from bot.targets.etcd.look import EtcdReader
from procedures.model.ids import ClusterName, MemberName, Site
from procedures.model.inventory import Cluster, Platform, TlsFiles
from procedures.model.probe import Certificate, Fault, FaultKind, MemberProbe, Read
from tests.integration.etcd.servers import (
    Relay,
    hang_up,
    say_nothing,
    serving,
    shaking_hands,
    speak_http1,
)

ODD = MemberName("odd-1")
DEADLINE_MS = 1_000


@pytest.fixture
async def reader() -> AsyncIterator[EtcdReader]:
    reader = EtcdReader()
    yield reader
    await reader.close()


@pytest.fixture
def pki(tmp_path: Path) -> Files:
    """Files that no real cluster accepts."""
    return Pki().write(tmp_path, ["odd-1"])


def one(url: str, files: Files | None) -> Cluster:
    """Describe a cluster of one member."""
    tls = TlsFiles(str(files.ca), str(files.cert), str(files.key)) if files else None
    return Cluster(
        name=ClusterName("odd"),
        platform=Platform.ETCD,
        site=Site("here"),
        endpoints={ODD: url},
        tls=tls,
        deadline_ms=DEADLINE_MS,
    )


async def ask(reader: EtcdReader, cluster: Cluster) -> MemberProbe:
    began = time.monotonic()
    sample = await reader.sample(cluster)
    assert time.monotonic() - began < DEADLINE_MS / 1000 + 3
    return sample.probes[0]


async def fault(reader: EtcdReader, cluster: Cluster) -> Fault:
    found = (await ask(reader, cluster)).status
    assert isinstance(found, Fault)
    return found


def healthy(probe: MemberProbe) -> bool:
    return isinstance(probe.read, Read) and probe.read.linearizable


async def test_connections_are_kept(reader: EtcdReader, etcd_cluster: DemoCluster) -> None:
    """The second question uses the first one's channel."""
    relay = Relay(etcd_cluster.endpoints["demo-1"])
    async with serving(relay.handle) as port:
        cluster = one(f"https://127.0.0.1:{port}", etcd_cluster.files)
        assert healthy(await ask(reader, cluster))
        opened = relay.accepted
        assert healthy(await ask(reader, cluster))
        assert relay.accepted == opened


@pytest.mark.parametrize("how", ["freeze", "cut"])
async def test_a_broken_way_is_not_blamed_on_the_member(
    reader: EtcdReader, etcd_cluster: DemoCluster, how: str
) -> None:
    """A kept connection that hangs or breaks is replaced within the same deadline."""
    relay = Relay(etcd_cluster.endpoints["demo-1"])
    async with serving(relay.handle) as port:
        cluster = one(f"https://127.0.0.1:{port}", etcd_cluster.files)
        assert healthy(await ask(reader, cluster))
        relay.freeze() if how == "freeze" else relay.cut()
        assert healthy(await ask(reader, cluster))


async def test_concurrent_askers(reader: EtcdReader, etcd_cluster: DemoCluster) -> None:
    """Askers at the same time, before there is a channel and after, all get answers."""
    cluster = one(etcd_cluster.endpoints["demo-1"], etcd_cluster.files)
    for _ in range(2):
        probes = await asyncio.gather(*(ask(reader, cluster) for _ in range(8)))
        assert all(map(healthy, probes))


async def test_server_name(reader: EtcdReader, etcd_cluster: DemoCluster) -> None:
    """The configured name is what the certificate has to carry, for gRPC and for HTTPS."""
    url = etcd_cluster.endpoints["demo-1"]
    cluster = one(url, etcd_cluster.files)
    assert cluster.tls
    named = replace(cluster, tls=replace(cluster.tls, server_name="demo-1"))
    assert healthy(await ask(reader, named))
    assert not isinstance((await reader.versions(named, [url]))[url], Fault)
    wrong = replace(cluster, tls=replace(cluster.tls, server_name="demo-2"))
    assert "not for demo-2" in (await fault(reader, wrong)).message


@pytest.mark.parametrize("why", ["another CA", "expired"])
async def test_rejected_client_certificate(
    reader: EtcdReader, etcd_cluster: DemoCluster, tmp_path: Path, why: str
) -> None:
    """That etcd rejects us is a matter of trust, each time, though TLS 1.3 tells it late."""
    authority = etcd_cluster.pki.authority
    if why == "expired":
        pair = authority.issue("quorumbot", validity=Validity.days_left(-3))
    else:
        pair = Authority.create("other CA").issue("quorumbot")
    cert, key = pair.write(tmp_path, "client")
    cluster = one(etcd_cluster.endpoints["demo-1"], Files(etcd_cluster.files.ca, cert, key))
    for _ in range(20):
        found = await fault(reader, cluster)
        assert found.kind is FaultKind.TRUST
        assert str(cert) in found.message
        assert ("expired on 20" if why == "expired" else "(issued by other CA)") in found.message


async def test_renewed_files_are_used(
    reader: EtcdReader, etcd_cluster: DemoCluster, tmp_path: Path
) -> None:
    """Changed files on disk lead to another channel, for the worse and for the better."""
    files = Files(*(tmp_path / path.name for path in _paths(etcd_cluster.files)))
    for source, copy in zip(_paths(etcd_cluster.files), _paths(files), strict=True):
        shutil.copy(source, copy)
    cluster = one(etcd_cluster.endpoints["demo-1"], files)
    assert healthy(await ask(reader, cluster))
    Authority.create("other CA").issue("quorumbot").write(tmp_path, "client")
    assert (await fault(reader, cluster)).kind is FaultKind.TRUST
    etcd_cluster.pki.authority.issue("quorumbot").write(tmp_path, "client")
    assert healthy(await ask(reader, cluster))


def _paths(files: Files) -> tuple[Path, Path, Path]:
    return files.ca, files.cert, files.key


async def test_tls_endpoint_without_tls(reader: EtcdReader, etcd_cluster: DemoCluster) -> None:
    """http:// towards a TLS port, and https:// without files, are mistakes of ours."""
    url = etcd_cluster.endpoints["demo-1"]
    plain = await fault(reader, one(url.replace("https", "http"), None))
    assert plain.kind is FaultKind.TRUST
    assert "https://" in plain.message
    assert (await fault(reader, one(url, None))).kind is FaultKind.FILES


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_silent_server(reader: EtcdReader, pki: Files, scheme: str) -> None:
    """A port that accepts and says nothing is silent, with TLS or without."""
    async with serving(say_nothing) as port:
        found = await fault(reader, one(f"{scheme}://127.0.0.1:{port}", pki))
    assert found.kind is FaultKind.SILENT
    assert "within 1 s" in found.message


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_server_that_hangs_up(reader: EtcdReader, pki: Files, scheme: str) -> None:
    """A port that closes without a word proves nothing about etcd: it may not like us."""
    async with serving(hang_up) as port:
        found = await fault(reader, one(f"{scheme}://127.0.0.1:{port}", pki))
    assert found.kind is FaultKind.UNREACHABLE


async def test_plain_server_behind_https(reader: EtcdReader, pki: Files) -> None:
    """https:// towards a port without TLS is a mistake of ours."""
    async with serving(speak_http1) as port:
        found = await fault(reader, one(f"https://127.0.0.1:{port}", pki))
    assert found.kind is FaultKind.TRUST
    assert "http://" in found.message


async def test_tls_1_2_server_rejects_us(reader: EtcdReader, pki: Files, tmp_path: Path) -> None:
    """An older server rejects a client within the handshake; its own certificate is lost then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tmp_path / "odd-1-server.crt", tmp_path / "odd-1-server.key")
    context.load_verify_locations(pki.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    async with shaking_hands(context) as port:
        url = f"https://127.0.0.1:{port}"
        good = (await reader.certificates(one(url, pki), {url: None}))[url]
        assert isinstance(good.client_port, Certificate)
        Authority.create("other CA").issue("quorumbot").write(tmp_path, "client")
        assert (await fault(reader, one(url, pki))).kind is FaultKind.TRUST
        bad = (await reader.certificates(one(url, pki), {url: None}))[url]
        assert isinstance(bad.client_port, Fault)


async def test_name_that_does_not_resolve(reader: EtcdReader, pki: Files) -> None:
    """A name without an address is our matter, and named."""
    found = await fault(reader, one("https://etcd.invalid:2379", pki))
    assert found.kind is FaultKind.DNS
    assert "etcd.invalid" in found.message


async def test_not_an_address(reader: EtcdReader, pki: Files) -> None:
    """Nonsense in a member's client URLs is an answer, not an exception."""
    for url in ("", "etcd:2379", "https://", "https://[", "https://host:port", "unix:///run/etcd"):
        assert (await fault(reader, one(url, pki))).kind is FaultKind.DNS


async def test_full_queue_is_unreachable(reader: EtcdReader, pki: Files) -> None:
    """A host that answers no SYN is unreachable: it may be the network as well as the host."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        found = await fault(reader, one(f"https://127.0.0.1:{port}", pki))
        for client in waiting:
            client.close()
    assert found.kind is FaultKind.UNREACHABLE
    assert "no connection within 1 s" in found.message


async def test_proxies_are_not_used(
    reader: EtcdReader, etcd_cluster: DemoCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment says, etcd is asked directly."""
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "grpc_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    url = etcd_cluster.endpoints["demo-1"]
    cluster = one(url, etcd_cluster.files)
    assert healthy(await ask(reader, cluster))
    assert not isinstance((await reader.metrics(cluster, [url]))[url], Fault)


async def test_nothing_is_left_after_closing(etcd_cluster: DemoCluster) -> None:
    """A closed reader leaves no task behind."""
    reader = EtcdReader()
    etcd_cluster.freeze("demo-2")
    await asyncio.gather(
        *(ask(reader, one(url, etcd_cluster.files)) for url in etcd_cluster.endpoints.values())
    )
    await reader.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
