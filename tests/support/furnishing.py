"""What the machines of a fake cluster have besides: certificates, a kernel, a disk for etcd."""

from dataclasses import replace

from bot.sandbox.demo.pki import Pair
from bot.targets.backups.copies import to_document
from bot.targets.ssh.fake_files import FakeFile
from bot.targets.ssh.model import FakeMachine, FakeUnit
from procedures.model import certificate
from procedures.model.config_copy import ConfigCopy, CopiedFile
from procedures.model.ids import ClusterName, MemberName
from procedures.model.member import Identity
from procedures.model.platform import Pair as Files
from procedures.model.platform import layout
from procedures.model.probe import Certificate, Fault, FaultKind
from tests.support.openssl import SIGNER, authority, issued, openssl
from tests.support.sight import FakeSight, a_sight
from tests.support.theatre import Theatre

DEMO = ClusterName("demo")


def a_furnished_sight(size: int = 3) -> FakeSight:
    """A healthy cluster on machines with which nothing is wrong."""
    sight = a_sight(size, spares=0)
    furnish(sight)
    return sight


def furnish(sight: FakeSight) -> None:
    """Give each member's machine a configuration like the member list, and real certificates."""
    configure(sight)
    cluster = sight.inventory.clusters[DEMO]
    for host in cluster.hosts:
        if MemberName(host.name) not in sight.demo.members:
            continue
        machine = sight.hosts.machines[host.name]
        machine.programs["openssl"] = openssl
        for name in ("poolsize", "entropy_avail"):
            machine.files.put(f"/proc/sys/kernel/random/{name}", "256\n")
        machine.files.put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
        machine.files.put("/var/lib/etcd/member/snap/db", b"0" * 20_480)
        machine.mounts["/var/lib/etcd"] = "/dev/vdb"
        files = layout(cluster.platform).certificates(host.name)
        machine.files.put(files.ca, authority(SIGNER).pem)
        for pair in files.pairs:
            show(machine, pair, issued(host.name, host.address, at_s=machine.now_ms() // 1_000))
        load(sight, host.name)


def configure(sight: FakeSight, *, at_hosts: bool = False) -> None:
    """Let each member's configuration say what the member list says.

    Where clients are to go to each `at_hosts`, it says the address of the host instead.
    """
    cluster = sight.inventory.clusters[DEMO]
    peers = ",".join(f"{each.name}={each.peer_url}" for each in sight.demo.members.values())
    for host in cluster.hosts:
        machine, member = (
            sight.hosts.machines[host.name],
            sight.demo.members.get(MemberName(host.name)),
        )
        if member is None:
            continue
        client_url = f"https://{host.address}:2379" if at_hosts else member.client_url
        machine.files.put(
            "/etc/etcd/etcd.conf",
            f"ETCD_NAME={member.name}\n"
            "ETCD_DATA_DIR=/var/lib/etcd/\n"
            f"ETCD_LISTEN_PEER_URLS=https://{host.address}:2380\n"
            f"ETCD_LISTEN_CLIENT_URLS=https://{host.address}:2379\n"
            f"ETCD_INITIAL_ADVERTISE_PEER_URLS={member.peer_url}\n"
            f"ETCD_INITIAL_CLUSTER={peers}\n"
            "ETCD_INITIAL_CLUSTER_STATE=new\n"
            f"ETCD_ADVERTISE_CLIENT_URLS={client_url}\n",
        )


def at_home(theatre: Theatre) -> None:
    """Let everybody reach each member at the address of its host."""
    sight = theatre.sight
    cluster = sight.inventory.clusters[DEMO]
    endpoints = {}
    for host in cluster.hosts:
        if member := sight.demo.members.get(MemberName(host.name)):
            member.peer_urls = (f"https://{host.address}:2380",)
            member.client_url = endpoints[member.name] = f"https://{host.address}:2379"
    sight.inventory = replace(
        sight.inventory, clusters={DEMO: replace(cluster, endpoints=endpoints)}
    )


def show(machine: FakeMachine, files: Files, pair: Pair) -> None:
    """Put a certificate and its key where they belong."""
    machine.files.put(files.cert, pair.certificate)
    machine.files.put(files.key, pair.key, 0o600)


def load(sight: FakeSight, name: str) -> None:
    """Let a member show what lies in its files now."""
    machine, member = sight.hosts.machines[name], sight.demo.members[MemberName(name)]
    files = layout(sight.inventory.clusters[DEMO].platform).certificates(name)
    member.client_certificate = shown(machine, files.server.cert)
    member.peer_certificate = shown(machine, files.peer.cert)


def shown(machine: FakeMachine, path: str) -> Certificate | Fault:
    """What a port shows that has this certificate; a fault where the file is none."""
    leaf = certificate.read(machine.files.file(path).content)
    if leaf is None:
        return Fault(FaultKind.TRUST, f"{machine.name} shows no certificate.")
    return Certificate(leaf.subject, leaf.issuer, leaf.begins_s, leaf.ends_s, leaf.sha256)


def with_copy(theatre: Theatre, name: str = "demo-1") -> ConfigCopy:
    """Let the place for backups have a copy of what configures etcd on a host now."""
    sight = theatre.sight
    machine, member = sight.hosts.machines[name], sight.demo.members[MemberName(name)]
    host = next(each for each in sight.inventory.clusters[DEMO].hosts if each.name == name)
    places = ("/etc/etcd/", "/etc/systemd/system/etcd.service.d/")
    copy = ConfigCopy(
        cluster=DEMO,
        host=name,
        address=host.address,
        machine_id=machine.machine_id,
        member=Identity(member.id, member.name, member.peer_urls),
        taken_at_ms=sight.clock.ms,
        files=tuple(
            CopiedFile(path, node.content, node.mode, node.owner, node.group, node.context)
            for path, node in sorted(machine.files.nodes.items())
            if path.startswith(places) and isinstance(node, FakeFile)
        ),
    )
    theatre.backups.copied.put(DEMO, f"{copy.name}.config.json", to_document(copy))
    return copy


def spoiled(theatre: Theatre, name: str = "demo-2") -> None:
    """Let somebody have changed a setting, lost a key and given another away; there is a copy."""
    configure(theatre.sight)
    files = theatre.sight.hosts.machines[name].files
    for pair in ("peer", "server"):  # the same in each process: a plan has their SHA-256
        files.put(f"/etc/etcd/{pair}.key", f"-----BEGIN PRIVATE KEY-----\n{pair}\n", 0o600)
    files.put("/etc/systemd/system/etcd.service.d/limits.conf", "[Service]\nNice=-5\n")
    files.file("/etc/etcd/peer.key").owner = "etcd"
    with_copy(theatre, name)
    conf = files.text("/etc/etcd/etcd.conf")
    files.put("/etc/etcd/etcd.conf", f"{conf}ETCD_HEARTBEAT_INTERVAL=1\n")
    files.put("/etc/systemd/system/etcd.service.d/limits.conf", "[Service]\nNice=19\n")
    files.remove("/etc/etcd/peer.key")
    files.file("/etc/etcd/server.key").mode = 0o644


def unkept(theatre: Theatre) -> None:
    """Let the time service of two machines be off; of one it is enabled, and has ended."""
    for name in ("demo-2", "demo-3"):
        machine = theatre.sight.hosts.machines[name]
        machine.time_service = machine.synchronised = False

        def keep(machine: FakeMachine) -> None:
            machine.time_service = machine.synchronised = True

        enabled = "enabled" if name == "demo-3" else "disabled"
        machine.units["ntpd.service"] = FakeUnit(enabled=enabled, on_start=keep)
        machine.units["systemd-timesyncd.service"] = FakeUnit(enabled="disabled", on_start=keep)


def short_of_entropy(theatre: Theatre) -> None:
    """Let one machine with an old kernel have too little, and rngd be off there."""
    for name, machine in theatre.sight.hosts.machines.items():
        for file, value in (("poolsize", 4_096), ("entropy_avail", 3_000)):
            machine.files.put(f"/proc/sys/kernel/random/{file}", f"{value}\n")
        machine.files.put("/proc/sys/kernel/osrelease", "3.10.0-1160.el7.x86_64\n")
        if name == "demo-2":
            machine.files.put("/proc/sys/kernel/random/entropy_avail", "120\n")

            def fill(machine: FakeMachine) -> None:
                machine.files.put("/proc/sys/kernel/random/entropy_avail", "3000\n")

            machine.units["rngd.service"] = FakeUnit(enabled="disabled", on_start=fill)
