"""What the machines of a fake cluster have besides: certificates, a kernel, a disk for etcd."""

from bot.sandbox.demo.pki import Pair
from bot.targets.ssh.model import FakeMachine
from procedures.model.ids import ClusterName, MemberName
from procedures.model.platform import Pair as Files
from procedures.model.platform import layout
from tests.support.openssl import SIGNER, authority, issued, openssl
from tests.support.sight import FakeSight, a_sight


def a_furnished_sight(size: int = 3) -> FakeSight:
    """A healthy cluster on machines with which nothing is wrong."""
    sight = a_sight(size, spares=0)
    furnish(sight)
    return sight


def furnish(sight: FakeSight) -> None:
    """Give each member's machine a configuration like the member list, and real certificates."""
    cluster = sight.inventory.clusters[ClusterName("demo")]
    peers = ",".join(f"{each.name}={each.peer_url}" for each in sight.demo.members.values())
    for host in cluster.hosts:
        machine, member = (
            sight.hosts.machines[host.name],
            sight.demo.members.get(MemberName(host.name)),
        )
        if member is None:
            continue
        machine.programs["openssl"] = openssl
        for name in ("poolsize", "entropy_avail"):
            machine.files.put(f"/proc/sys/kernel/random/{name}", "256\n")
        machine.files.put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
        machine.files.put("/var/lib/etcd/member/snap/db", b"0" * 20_480)
        machine.mounts["/var/lib/etcd"] = "/dev/vdb"
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
