"""The testbed itself: what it says of its hosts is so."""

import socket
import sys
from collections.abc import Iterator

import pytest

from tests.testbed import BOT, PROMPTED, Cluster, HostSpec, Namespace, Testbed
from tests.testbed.shell import attempt

NAMES = ("etcd-1", "etcd-2", "etcd-3")


@pytest.fixture(scope="module")
def bed(inside: Namespace) -> Iterator[Testbed]:
    with Testbed.start([HostSpec(name) for name in NAMES], bot=inside) as bed:
        yield bed


@pytest.fixture(scope="module")
def cluster(bed: Testbed) -> Cluster:
    return bed.cluster(NAMES)


def test_hosts_let_the_bot_in_with_strict_host_keys(bed: Testbed) -> None:
    """Each host is itself, and makes the bot root without a password."""
    for host in bed.hosts.values():
        for command, answer in ((["hostname"], host.name), (["sudo", "-n", "id", "-un"], "root")):
            ran = host.ssh(command, user=BOT)
            assert (ran.status, ran.output.strip()) == (0, answer)


def test_sudo_asks_the_other_user_for_a_password(bed: Testbed) -> None:
    """The other user gets in, and no further."""
    host = bed["etcd-1"]
    assert host.ssh(["true"], user=PROMPTED).status == 0
    refused = host.ssh(["sudo", "-n", "true"], user=PROMPTED)
    assert refused.status == 1
    assert "password is required" in refused.errors


def test_this_process_reaches_hosts_by_itself(bed: Testbed) -> None:
    """No helper is between a test's own sockets and a host."""
    with socket.create_connection((bed["etcd-2"].address, 22), timeout=5) as connection:
        assert connection.recv(8).startswith(b"SSH-2.0-")


def test_a_cluster_serves_with_tls(cluster: Cluster) -> None:
    """All members are healthy, and one is the leader."""
    assert cluster.healthy() == list(NAMES)
    assert cluster.leader() in cluster.members


@pytest.mark.usefixtures("inside")
def test_a_machine_that_cannot_carry_hosts_says_why() -> None:
    """A root without its capabilities, as in most containers, is told so in one line."""
    lesser = ["setpriv", "--inh-caps=-sys_admin", "--bounding-set=-sys_admin", "--"]
    ran = attempt([*lesser, sys.executable, "-m", "tests.testbed", "up"])
    assert (ran.status, ran.output.count("ready")) == (1, 0)
    assert ran.errors == (
        "testbed: hosts need CAP_SYS_ADMIN, which this root lacks (a container?)\n"
    )
