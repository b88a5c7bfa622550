"""OCP 3.11: etcd is a static pod, which the node starts from its manifest; nothing in systemd.

Paths and names are those of openshift-ansible 3.11; a loop stands in for the node.
"""

from tests.testbed.flavours.flavour import FILES, Member, Version, master_scripts
from tests.testbed.flavours.okd3 import etcd_conf, keys_in_etc_etcd, openssl_authority
from tests.testbed.machine import Machine
from tests.testbed.pki import Pki

_UNIT = "usr/lib/systemd/system/origin-node.service"
_PODS = "etc/origin/node/pods"
_DRAFT = "etc/origin/node/etcd.yaml"
_IMAGE = "etc/testbed-etcd-image"


class Ocp311:
    """etcd in a pod, as root; `master-exec`, `master-logs` and `master-restart` reach it."""

    token = "etcd-cluster-1"  # noqa: S105 - no secret: it names a cluster
    ca_file = "/etc/etcd/ca.crt"

    def install(self, machine: Machine, version: Version) -> None:
        master_scripts(machine)
        machine.write(_UNIT, (FILES / "ocp311-origin-node.service").read_text())
        node = (FILES / "ocp311-static-pods").read_text()
        machine.write("usr/local/lib/testbed/static-pods", node, mode=0o755)
        machine.link("etc/systemd/system/multi-user.target.wants/origin-node.service", f"/{_UNIT}")
        machine.path(_PODS).mkdir(parents=True)
        machine.write(_IMAGE, f"quay.io/coreos/etcd:v{version}\n")

    def keys(self, machine: Machine, pki: Pki, address: str) -> None:
        keys_in_etc_etcd(machine, pki, address, owner="root")

    def authority(self, machine: Machine, pki: Pki) -> None:
        openssl_authority(machine, pki)

    def configure(self, machine: Machine, member: Member) -> None:
        image = machine.path(_IMAGE).read_text().strip()
        manifest = (FILES / "ocp311-etcd.yaml").read_text().replace("@IMAGE@", image)
        machine.write("etc/etcd/etcd.conf", etcd_conf(member))
        machine.write(_DRAFT, manifest, mode=0o600)

    def member_name(self, host: str, position: int) -> str:  # noqa: ARG002 - named by host
        return host

    def start(self) -> list[str]:
        return ["mv", f"/{_DRAFT}", f"/{_PODS}/etcd.yaml"]
