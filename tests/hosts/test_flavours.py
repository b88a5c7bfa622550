"""Each platform's etcd comes up in both versions, and has the platform's habits."""

from collections.abc import Iterator
from typing import get_args

import pytest

from tests.testbed import Cluster, Host, HostSpec, Namespace, Testbed
from tests.testbed.flavours import FlavourName, Version
from tests.testbed.shell import until

MEMBERS, SPARE = ("etcd-1", "etcd-2", "etcd-3"), "etcd-4"
EVERY = [(flavour, version) for flavour in get_args(FlavourName) for version in get_args(Version)]


def on(*flavours: FlavourName) -> pytest.MarkDecorator:
    """Both versions of these flavours."""
    some = [pair for pair in EVERY if pair[0] in flavours]
    return pytest.mark.parametrize("cluster", some, ids="-".join, indirect=True, scope="module")


EVERYWHERE = on(*get_args(FlavourName))


@pytest.fixture(scope="module")
def cluster(inside: Namespace, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    flavour, version = request.param
    specs = [HostSpec(name, flavour, version) for name in (*MEMBERS, SPARE)]
    with Testbed.start(specs, bot=inside) as bed:
        yield bed.cluster(MEMBERS, spares=[SPARE])


@pytest.fixture
def first(cluster: Cluster) -> Host:
    return cluster.members[0]


@EVERYWHERE
def test_the_cluster_is_healthy_in_its_version(cluster: Cluster) -> None:
    """All members serve clients with certificates, in the version that was asked for."""
    assert cluster.healthy() == list(cluster.endpoints)
    statuses = [answer["Status"] for answer in cluster.etcdctl("endpoint", "status")]
    wanted = cluster.members[0].spec.etcd_version
    assert {status["version"].rpartition(".")[0] for status in statuses} == {wanted}
    assert len({status["header"]["cluster_id"] for status in statuses}) == 1


@EVERYWHERE
def test_a_member_comes_back_by_itself_after_a_power_cut(cluster: Cluster, first: Host) -> None:
    """The host starts etcd when it boots, on the data that it had."""
    cluster.etcdctl("put", "kept", "yes")
    first.power_off()
    first.power_on()
    name = cluster.name(first)
    until(lambda: name in cluster.healthy(), 30, f"{name} is healthy")
    [kept] = cluster.etcdctl("get", "kept", "--consistency=s", members=[name])["kvs"]
    assert kept["value"] == "eWVz"


@EVERYWHERE
def test_a_spare_has_keys_and_no_member(cluster: Cluster, first: Host) -> None:
    """Software and certificates are there; nothing runs, and nothing was ever written."""
    names = {"okd3": "peer.crt", "ocp311": "peer.crt", "kubespray": f"member-{SPARE}.pem"}
    spare = cluster.spares[0]
    assert spare.machine.processes("etcd") == []
    assert spare.run(["ls", "/var/lib/etcd"]).output == ""
    files = spare.run(["find", "/etc", "-name", names[spare.spec.flavour]]).output.split()
    assert len(files) == 1
    ca = first.flavour.ca_file
    assert spare.run(["openssl", "verify", "-CAfile", ca, *files]).output.endswith("OK\n")


@on("okd3")
class TestOkd3:
    def test_master_restart_does_nothing_and_ends_well(self, first: Host) -> None:
        """etcd.service is no component to it."""
        before = first.machine.processes("etcd")
        ran = first.run(["master-restart", "etcd"])
        assert ran.errors == "Component etcd is already stopped\n"
        assert first.machine.processes("etcd") == before

    def test_the_authority_signs_for_a_new_host(self, first: Host) -> None:
        """`openssl ca` works with what is in `/etc/etcd/ca`."""
        ca, request, made = "/etc/etcd/ca/openssl.cnf", "/root/new.csr", "/root/new.crt"
        san = {"SAN": "IP:10.0.0.99, DNS:new"}
        ask = ["openssl", "req", "-new", "-config", ca, "-keyout", "/root/new.key", "-nodes"]
        ask += ["-out", request, "-reqexts", "etcd_v3_req", "-batch", "-subj", "/CN=new"]
        first.run(ask, environment=san)
        sign = ["openssl", "ca", "-name", "etcd_ca", "-config", ca, "-out", made, "-in", request]
        first.run([*sign, "-extensions", "etcd_v3_ca_peer", "-batch"], environment=san)
        first.run(["openssl", "verify", "-CAfile", first.flavour.ca_file, made])
        text = first.run(["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", made])
        assert "IP Address:10.0.0.99" in text.output


@on("ocp311")
class TestOcp311:
    def test_a_pod_follows_its_manifest(self, first: Host) -> None:
        """Away with the manifest, away with etcd, and back; the scripts end well throughout."""
        manifest = "/etc/origin/node/pods/etcd.yaml"
        first.run(["mv", manifest, "/root/etcd.yaml"])
        until(lambda: not first.machine.processes("etcd"), 30, "etcd ends")
        for script in ("master-restart", "master-exec", "master-logs"):
            ran = first.run([script, "etcd", "etcd", "true"])
            assert "stopped" in ran.errors
        first.run(["mv", "/root/etcd.yaml", manifest])
        until(lambda: bool(first.machine.processes("etcd")), 30, "etcd starts")

    def test_master_restart_restarts_the_first_that_is_named(self, first: Host) -> None:
        """Its other words are ignored."""
        until(lambda: bool(first.machine.processes("etcd")), 30, "etcd runs")
        before = first.machine.processes("etcd")
        first.run(["master-restart", "etcd", "restart-master", "controller"])
        until(lambda: first.machine.processes("etcd") not in ([], before), 30, "another etcd runs")

    def test_the_container_shares_two_folders_and_may_write_to_one(self, first: Host) -> None:
        """What is written elsewhere is not on the host."""
        inside = ["master-exec", "etcd", "etcd"]
        first.run([*inside, "touch", "/var/lib/etcd/shared", "/tmp/private"])  # noqa: S108
        assert first.path("/var/lib/etcd/shared").exists()
        assert not first.path("/tmp/private").exists()  # noqa: S108
        refused = first.run([*inside, "touch", "/etc/etcd/etcd.conf"], check=False)
        assert "Read-only file system" in refused.errors


@on("kubespray")
class TestKubespray:
    def test_docker_knows_the_member(self, first: Host) -> None:
        """A container of the member's name runs; a second one of that name is refused."""
        assert first.run(["docker", "ps", "--format", "{{.Names}}"]).output == "etcd1\n"
        again = first.run(["/usr/local/bin/etcd"], check=False)
        assert again.status == 125
        assert "already in use" in again.errors

    def test_a_stopped_container_starts_again(self, first: Host) -> None:
        """By hand with docker, though the unit would do it too, later."""
        before = first.machine.processes("etcd")
        first.run(["systemctl", "stop", "etcd"])
        assert first.machine.processes("etcd") == []
        listed = first.run(["docker", "ps", "-a"]).output
        assert "Exited" in listed
        assert first.run(["docker", "start", "etcd1"]).output == "etcd1\n"
        assert first.machine.processes("etcd") not in ([], before)
        first.run(["systemctl", "start", "etcd"])  # removes the container and makes a new one
        until(lambda: bool(first.machine.processes("etcd")), 30, "etcd runs")
