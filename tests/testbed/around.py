"""What people have around etcd on hosts, for those who try it in a sandbox. All are stand-ins.

Masters, Flannel and Ansible of OpenShift 3 as tests have them; a time service that is installed
and off; on okd3, RHEL's package tools, and members that serve the v2 API beside v3.
"""

from dataclasses import dataclass

from procedures.model.kubernetes import MANIFEST
from tests.testbed.ansible import have_ansible
from tests.testbed.bed import Testbed
from tests.testbed.cluster import Cluster
from tests.testbed.flavours import FlavourName
from tests.testbed.flavours.flavour import FILES
from tests.testbed.host import Host
from tests.testbed.masters import make_master, use_flannel
from tests.testbed.shell import until

_CHRONY = """\
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""
_TIMEDATECTL = """\
#!/bin/sh
# The clock of all hosts is this machine's: it counts as kept right while the service runs.
systemctl is-active --quiet chronyd && kept=yes || kept=no
printf 'NTP=%s\\nNTPSynchronized=%s\\n' $kept $kept
"""
_API_SERVER = """\
apiVersion: v1
kind: Pod
spec:
  containers:
  - command:
    - kube-apiserver
    - --etcd-servers={}
"""
_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Around:
    """What a configuration says of it: hosts that are masters, and the one that has Ansible."""

    masters: tuple[str, ...] = ()
    ansible: str | None = None


def furnish(bed: Testbed, cluster: Cluster, flavour: FlavourName) -> Around:
    """Put all of it on the hosts of a healthy cluster, as far as the platform knows it."""
    for host in bed.hosts.values():
        show_time_service(host)
        install_time_service(host)
    urls = list(cluster.endpoints.values())
    if flavour == "kubespray":
        for host in cluster.members:
            host.machine.write(MANIFEST.removeprefix("/"), _API_SERVER.format(",".join(urls)))
        return Around()
    first, second, *_ = cluster.members
    for host in (first, second):
        make_master(host, cluster.pki, urls)
    use_flannel(second, urls)
    ansible = have_ansible(bed, first.name, [host.name for host in cluster.members])
    if flavour == "okd3":
        for host in bed.hosts.values():
            be_rhel(host)
            register(host)
        serve_v2(cluster)
        v2(first, "set", "/coreos.com/network/config", '{"Network": "10.128.0.0/14"}')
    return Around((first.name, second.name), ansible.host)


def install_etcdctl(host: Host) -> None:
    """Install the client where etcd itself is a pod: what restores a snapshot has to be there."""
    program = f"/opt/etcd-{host.spec.etcd_version}/usr/bin/etcdctl"
    host.run(["ln", "--symbolic", program, "/usr/bin/etcdctl"])


def show_time_service(host: Host) -> None:
    """Let `timedatectl` say that the clock is kept right while chronyd runs."""
    host.machine.write("usr/local/bin/timedatectl", _TIMEDATECTL, mode=0o755)


def install_time_service(host: Host) -> None:
    """Install chronyd, which is off."""
    host.machine.write("etc/systemd/system/chronyd.service", _CHRONY)
    host.run(["systemctl", "daemon-reload"])


def be_rhel(host: Host) -> None:
    """Have subscription-manager, rpm and yum, which offers etcd 3.5; not registered yet."""
    for name in ("subscription-manager", "rpm", "yum"):
        host.machine.write(f"usr/bin/{name}", (FILES / "rhel").read_text(), mode=0o755)
    host.run(["mkdir", "-p", "/var/lib/rhsm"])


def register(host: Host) -> None:
    """Do what a person does at a host that has no subscription."""
    host.run(["touch", "/var/lib/rhsm/registered"])


def v2(host: Host, *words: str) -> str:
    """Call the v2 API of a host's own member, there."""
    argv = ["env", "ETCDCTL_API=2", "etcdctl", "--no-sync"]
    argv += [f"--endpoints=https://{host.address}:2379", "--ca-file=/etc/etcd/ca.crt"]
    argv += ["--cert-file=/etc/etcd/peer.crt", "--key-file=/etc/etcd/peer.key"]
    return host.run([*argv, *words]).output


def serve_v2(cluster: Cluster) -> None:
    """Let all members of okd3, of etcd 3.4, serve the v2 API too, one after the other."""
    names = list(cluster.endpoints)
    for host in cluster.members:
        config = host.path("/etc/etcd/etcd.conf")
        config.write_text(config.read_text() + "ETCD_ENABLE_V2=true\n")
        host.run(["systemctl", "restart", "etcd.service"])
        until(lambda: cluster.healthy() == names, _WITHIN, "all are healthy")
