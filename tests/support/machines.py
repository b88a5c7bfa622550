"""Machines in memory on which members of a fake cluster live."""

from bot.sandbox.demo.pki import Pair
from bot.targets.etcd.model import Condition, FakeCluster
from bot.targets.ssh.model import FakeMachine, FakeUnit
from procedures.model.ids import MemberName
from procedures.model.inventory import Cluster, Host
from procedures.model.platform import Pair as Files
from procedures.model.platform import layout
from tests.support.openssl import SIGNER, authority, issued, openssl


def live_on(machine: FakeMachine, cluster: FakeCluster, member: MemberName) -> FakeUnit:
    """Give a machine an `etcd.service` that is a member's process, and its files.

    The unit is what counts: the member runs while it does. Whoever is no member, or not any more,
    has a unit that changes nothing in the cluster.
    """

    def started(_: FakeMachine) -> None:
        if member in cluster.members:
            cluster.members[member].started = True
            cluster.members[member].condition = Condition.RUNNING

    def stopped(_: FakeMachine) -> None:
        if member in cluster.members:
            cluster.members[member].condition = Condition.STOPPED

    machine.files.put("/etc/etcd/etcd.conf", f"ETCD_NAME={member}\n")
    machine.files.folder("/var/lib/etcd", 0o700)
    runs = member in cluster.members and cluster.members[member].works
    unit = FakeUnit(active="active" if runs else "inactive", on_start=started, on_stop=stopped)
    machine.units["etcd.service"] = unit
    return unit


def furnish(machine: FakeMachine, cluster: Cluster, demo: FakeCluster, host: Host) -> None:
    """Give a member's machine what it has besides: configuration, certificates, a kernel."""
    machine.programs["openssl"] = openssl
    for name, content in (("poolsize", "256"), ("entropy_avail", "256")):
        machine.files.put(f"/proc/sys/kernel/random/{name}", f"{content}\n")
    machine.files.put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
    machine.files.put("/var/lib/etcd/member/snap/db", b"0" * 20_480)
    machine.mounts["/var/lib/etcd"] = "/dev/vdb"
    member = demo.members[MemberName(host.name)]
    peers = ",".join(f"{each.name}={each.peer_url}" for each in demo.members.values())
    machine.files.put(
        "/etc/etcd/etcd.conf",
        f"ETCD_NAME={member.name}\n"
        "ETCD_DATA_DIR=/var/lib/etcd/\n"
        f"ETCD_LISTEN_PEER_URLS=https://{host.address}:2380\n"
        f"ETCD_LISTEN_CLIENT_URLS=https://{host.address}:2379\n"
        f"ETCD_INITIAL_ADVERTISE_PEER_URLS={member.peer_url}\n"
        f"ETCD_INITIAL_CLUSTER={peers}\n"
        "ETCD_INITIAL_CLUSTER_STATE=new\n"
        f"ETCD_ADVERTISE_CLIENT_URLS={member.client_url}\n",
    )
    files = layout(cluster.platform).certificates(host.name)
    machine.files.put(files.ca, authority(SIGNER).pem)
    for pair in files.pairs:
        show(machine, pair, issued(host.name, host.address, at_s=machine.now_ms() // 1_000))


def show(machine: FakeMachine, files: Files, pair: Pair) -> None:
    """Put a certificate and its key where they belong."""
    machine.files.put(files.cert, pair.certificate)
    machine.files.put(files.key, pair.key, 0o600)
