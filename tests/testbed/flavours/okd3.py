"""OKD 3.x from packages: `etcd.service`, as user etcd, with everything in `/etc/etcd`.

Paths and names are those of the project's RPM and of openshift-ansible's etcd role.
"""

from tests.testbed.flavours.flavour import (
    FILES,
    Member,
    Version,
    environment_file,
    etcd_environment,
    link_binaries,
    master_scripts,
)
from tests.testbed.machine import Machine
from tests.testbed.pki import Pki

_HOME = "etc/etcd"


class Okd3:
    """RPM-like etcd."""

    token = "etcd-cluster-1"  # noqa: S105 - no secret: it names a cluster
    ca_file = "/etc/etcd/ca.crt"

    def install(self, machine: Machine, version: Version) -> None:
        link_binaries(machine, version, "usr/bin", "etcd", "etcdctl", "etcdutl")
        master_scripts(machine)
        unit = (FILES / "okd3-etcd.service").read_text()
        machine.write("usr/lib/systemd/system/etcd.service", unit)

    def keys(self, machine: Machine, pki: Pki, address: str) -> None:
        keys_in_etc_etcd(machine, pki, address, owner="etcd")

    def authority(self, machine: Machine, pki: Pki) -> None:
        openssl_authority(machine, pki)

    def configure(self, machine: Machine, member: Member) -> None:
        machine.write(f"{_HOME}/etcd.conf", etcd_conf(member))

    def member_name(self, host: str, position: int) -> str:  # noqa: ARG002 - named by host
        return host

    def start(self) -> list[str]:
        return ["systemctl", "enable", "--quiet", "--now", "etcd.service"]


def etcd_conf(member: Member) -> str:
    """`/etc/etcd/etcd.conf`, which both OpenShift 3 flavours have."""
    return environment_file(
        etcd_environment(member)
        | {
            "ETCD_TRUSTED_CA_FILE": "/etc/etcd/ca.crt",
            "ETCD_CERT_FILE": "/etc/etcd/server.crt",
            "ETCD_KEY_FILE": "/etc/etcd/server.key",
            "ETCD_PEER_TRUSTED_CA_FILE": "/etc/etcd/ca.crt",
            "ETCD_PEER_CERT_FILE": "/etc/etcd/peer.crt",
            "ETCD_PEER_KEY_FILE": "/etc/etcd/peer.key",
        }
    )


def keys_in_etc_etcd(machine: Machine, pki: Pki, address: str, *, owner: str) -> None:
    """`ca.crt`, `server.*` and `peer.*`; peer is also what people use as client."""
    machine.write(f"{_HOME}/ca.crt", pki.authority.pem, owner=owner)
    for kind in ("server", "peer"):
        pair = pki.issue(machine.name, address)
        machine.write(f"{_HOME}/{kind}.crt", pair.certificate, mode=0o600, owner=owner)
        machine.write(f"{_HOME}/{kind}.key", pair.key, mode=0o600, owner=owner)


def openssl_authority(machine: Machine, pki: Pki) -> None:
    """`/etc/etcd/ca`, with which `openssl ca -name etcd_ca` signs for new members."""
    ca = f"{_HOME}/ca"
    machine.write(f"{ca}/ca.crt", pki.authority.pem)
    machine.write(f"{ca}/ca.key", pki.ca_key, mode=0o600)
    machine.write(f"{ca}/openssl.cnf", (FILES / "okd3-openssl.cnf").read_text())
    machine.write(f"{ca}/serial", "01\n")
    machine.write(f"{ca}/index.txt", "")
    for folder in ("certs", "crl", "fragments"):
        machine.path(f"{ca}/{folder}").mkdir(exist_ok=True)
    machine.path(ca).chmod(0o700)
