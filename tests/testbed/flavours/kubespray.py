"""kubespray with etcd in docker: `etcd.service` runs a wrapper that runs a container.

Paths and names are those of kubespray's etcd role; `files/docker` stands in for docker.
"""

from tests.testbed.flavours.flavour import (
    FILES,
    Member,
    Version,
    environment_file,
    etcd_environment,
    link_binaries,
)
from tests.testbed.machine import Machine
from tests.testbed.pki import Pki

_SSL = "etc/ssl/etcd/ssl"
_IMAGE = "etc/testbed-etcd-image"


class Kubespray:
    """etcd behind docker, as root, with `/etc/etcd.env`."""

    token = "k8s_etcd"  # noqa: S105 - no secret: it names a cluster
    ca_file = "/etc/ssl/etcd/ssl/ca.pem"

    def install(self, machine: Machine, version: Version) -> None:
        machine.write("usr/bin/docker", (FILES / "docker").read_text(), mode=0o755)
        machine.write(_IMAGE, f"quay.io/coreos/etcd:v{version}\n")
        link_binaries(machine, version, "usr/local/bin", "etcdctl", "etcdutl")

    def keys(self, machine: Machine, pki: Pki, address: str) -> None:
        machine.write(f"{_SSL}/ca.pem", pki.authority.pem)
        machine.path(_SSL).chmod(0o700)
        for kind in ("admin", "member"):
            pair, stem = pki.issue(machine.name, address), f"{_SSL}/{kind}-{machine.name}"
            machine.write(f"{stem}.pem", pair.certificate, mode=0o600)
            machine.write(f"{stem}-key.pem", pair.key, mode=0o600)

    def authority(self, machine: Machine, pki: Pki) -> None:
        machine.write(f"{_SSL}/ca-key.pem", pki.ca_key, mode=0o600)

    def configure(self, machine: Machine, member: Member) -> None:
        image = machine.path(_IMAGE).read_text().strip()
        for name, where, mode in (
            ("kubespray-etcd.service", "etc/systemd/system/etcd.service", 0o644),
            ("kubespray-etcd", "usr/local/bin/etcd", 0o755),
        ):
            text = (FILES / name).read_text()
            text = text.replace("@NAME@", member.name).replace("@IMAGE@", image)
            machine.write(where, text, mode=mode)
        machine.write("etc/etcd.env", environment_file(_settings(machine.name, member)), mode=0o640)

    def member_name(self, host: str, position: int) -> str:  # noqa: ARG002 - named by position
        return f"etcd{position}"

    def start(self) -> list[str]:
        return ["systemctl", "enable", "--quiet", "--now", "etcd.service"]


def _settings(host: str, member: Member) -> dict[str, str]:
    certificate, key = f"/{_SSL}/member-{host}.pem", f"/{_SSL}/member-{host}-key.pem"
    return etcd_environment(member) | {
        "ETCD_LISTEN_CLIENT_URLS": f"https://{member.address}:2379,https://127.0.0.1:2379",
        "ETCD_METRICS": "basic",
        "ETCD_AUTO_COMPACTION_RETENTION": "8",
        "ETCD_TRUSTED_CA_FILE": f"/{_SSL}/ca.pem",
        "ETCD_CERT_FILE": certificate,
        "ETCD_KEY_FILE": key,
        "ETCD_PEER_TRUSTED_CA_FILE": f"/{_SSL}/ca.pem",
        "ETCD_PEER_CERT_FILE": certificate,
        "ETCD_PEER_KEY_FILE": key,
        "ETCDCTL_ENDPOINTS": "https://127.0.0.1:2379",
        "ETCDCTL_CACERT": f"/{_SSL}/ca.pem",
        "ETCDCTL_CERT": f"/{_SSL}/admin-{host}.pem",
        "ETCDCTL_KEY": f"/{_SSL}/admin-{host}-key.pem",
    }
